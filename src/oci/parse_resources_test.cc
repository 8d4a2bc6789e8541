// SPDX-License-Identifier: Apache-2.0
//
// linux.resources, with parse_block_io.cc and the device rules of parse_devices.cc.
#include <gtest/gtest.h>

#include <limits>

#include "oci/config_text.h"

namespace kiste::oci {

namespace {

Resources MustParseResources(const std::string& members) {
  return MustParse(WithResources(members)).linux.resources;
}

}  // namespace

TEST(Resources, ReadsEveryMember) {
  Resources resources = MustParse(Seed("everything.json")).linux.resources;
  EXPECT_EQ(resources.memory->limit, 536870912);
  EXPECT_EQ(resources.memory->reservation, -1);
  EXPECT_EQ(resources.memory->swap, 0);
  EXPECT_EQ(resources.memory->swappiness, 0u);
  EXPECT_EQ(resources.memory->disable_oom_killer, false);
  EXPECT_EQ(resources.memory->use_hierarchy, true);
  EXPECT_EQ(resources.cpu->shares, 1024u);
  EXPECT_EQ(resources.cpu->quota, -1);
  EXPECT_EQ(resources.cpu->burst, 1000u);
  EXPECT_EQ(resources.cpu->realtime_period, 1000000u);
  EXPECT_EQ(resources.cpu->cpus, "2-3");
  EXPECT_EQ(resources.cpu->idle, 1);
  EXPECT_EQ(resources.pids_limit, 0);
  EXPECT_EQ(resources.block_io->weight, 10);
  EXPECT_EQ(resources.block_io->weight_device.at(0).leaf_weight, 300);
  EXPECT_EQ(resources.block_io->throttle_read_bps.at(0).rate, 600u);
  EXPECT_EQ(resources.block_io->throttle_write_bps.at(0).rate, 601u);
  EXPECT_EQ(resources.block_io->throttle_read_iops.at(0).rate, 602u);
  EXPECT_EQ(resources.block_io->throttle_write_iops.at(0).rate,
            std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(resources.hugepage_limits.at(1).page_size, "64KB");
  EXPECT_EQ(resources.network->class_id, 1048577u);
  EXPECT_EQ(resources.network->priorities.at(0).priority, 500u);
  EXPECT_EQ(resources.rdma.at("mlx5_1").hca_handles, 3u);
  EXPECT_FALSE(resources.rdma.at("mlx4_0").hca_handles);
  EXPECT_EQ(resources.unified.at("hugetlb.1GB.max"), "1073741824");
}

TEST(Resources, ReadsDeviceRulesWithWildcards) {
  auto rules = MustParse(Seed("everything.json")).linux.resources.devices;
  ASSERT_EQ(rules.size(), 3u);
  EXPECT_FALSE(rules[0].allow);
  EXPECT_EQ(rules[0].type, 'a');
  EXPECT_EQ(rules[0].major, -1);
  EXPECT_EQ(rules[1].type, 'c');
  EXPECT_EQ(rules[1].minor, 229);
  EXPECT_EQ(rules[1].access, "rw");
  EXPECT_EQ(rules[2].major, -1);
  EXPECT_EQ(rules[2].minor, -1);
  EXPECT_EQ(rules[2].access, "rwm");
}

TEST(Resources, TellsAbsentFromZero) {
  Resources resources = MustParseResources(R"("memory": {}, "cpu": {"shares": null}, "pids": {})");
  EXPECT_TRUE(resources.memory);
  EXPECT_FALSE(resources.memory->limit);
  EXPECT_FALSE(resources.cpu->shares);
  EXPECT_FALSE(resources.pids_limit);
  EXPECT_FALSE(resources.block_io);
  EXPECT_EQ(MustParseResources(R"("pids": {"limit": -1})").pids_limit, -1);
}

TEST(Resources, TakesEnginesWaysToSayNotSet) {
  EXPECT_FALSE(
      MustParseResources(R"("memory": {"swappiness": 18446744073709551615})").memory->swappiness);
  EXPECT_EQ(MustParseResources(R"("blockIO": {"weight": 0})").block_io->weight, 0);
}

TEST(Resources, RefusesWrongNumbers) {
  ExpectRefusals({
      {WithLinux(R"("resources": [])"), "linux.resources: expected an object, found []"},
      {WithResources(R"("memory": 5)"), "linux.resources.memory: expected an object, found 5"},
      {WithResources(R"("memory": {"limit": "1g"})"),
       "linux.resources.memory.limit: expected a whole number from -1 to 9223372036854775807, "
       R"(found "1g")"},
      {WithResources(R"("memory": {"swap": -2})"),
       "linux.resources.memory.swap: expected a whole number from -1 to 9223372036854775807, "
       "found -2"},
      {WithResources(R"("memory": {"limit": 9223372036854775808})"),
       "linux.resources.memory.limit: expected a whole number from -1 to 9223372036854775807, "
       "found 9223372036854775808"},
      {WithResources(R"("memory": {"swappiness": 101})"),
       "linux.resources.memory.swappiness: expected a whole number from 0 to 100, found 101"},
      {WithResources(R"("memory": {"disableOOMKiller": 0})"),
       "linux.resources.memory.disableOOMKiller: expected true or false, found 0"},
      {WithResources(R"("cpu": {"shares": -5})"),
       "linux.resources.cpu.shares: expected an unsigned number of 64 bits, found -5"},
      {WithResources(R"("cpu": {"quota": 1e3})"),
       "linux.resources.cpu.quota: expected a whole number of 64 bits, found 1000.0"},
      {WithResources(R"("cpu": {"idle": 2})"),
       "linux.resources.cpu.idle: expected a whole number from 0 to 1, found 2"},
      {WithResources(R"("pids": {"limit": "max"})"),
       R"(linux.resources.pids.limit: expected a whole number of 64 bits, found "max")"},
      {WithResources(R"("pids": 5)"), "linux.resources.pids: expected an object, found 5"},
      {WithResources(R"("network": {"classID": 4294967296})"),
       "linux.resources.network.classID: expected an unsigned number of 32 bits, found 4294967296"},
  });
}

TEST(Resources, RefusesWrongBlockIo) {
  ExpectRefusals({
      {WithResources(R"("blockIO": {"weight": 5})"),
       "linux.resources.blockIO.weight: expected 0 or a whole number from 10 to 1000, found 5"},
      {WithResources(R"("blockIO": {"leafWeight": 70000})"),
       "linux.resources.blockIO.leafWeight: expected 0 or a whole number from 10 to 1000, "
       "found 70000"},
      {WithResources(R"("blockIO": {"weightDevice": [{"major": 8, "minor": 0}]})"),
       "linux.resources.blockIO.weightDevice[0]: expected weight or leafWeight, "
       R"(found {"major":8,"minor":0})"},
      {WithResources(R"("blockIO": {"throttleReadBpsDevice": [{"major": 8, "minor": 0}]})"),
       "linux.resources.blockIO.throttleReadBpsDevice[0].rate: expected an unsigned number of 64 "
       "bits, found nothing"},
      {WithResources(R"("blockIO": {"throttleWriteIOPSDevice": [{"major": -8}]})"),
       "linux.resources.blockIO.throttleWriteIOPSDevice[0].major: expected a whole number from 0 "
       "to 9223372036854775807, found -8"},
  });
}

TEST(Resources, RefusesWrongNames) {
  const std::string kSize =
      "linux.resources.hugepageLimits[0].pageSize: expected a size like "
      "64KB, 2MB or 1GB, found ";
  ExpectRefusals({
      {WithResources(R"("devices": [{"allow": true, "type": "p"}])"),
       R"(linux.resources.devices[0].type: expected one of a, c, b, found "p")"},
      {WithResources(R"("devices": [{"allow": true, "access": "rx"}])"),
       R"(linux.resources.devices[0].access: expected letters of "rwm", found "rx")"},
      {WithResources(R"("devices": [{"allow": true, "major": -2}])"),
       "linux.resources.devices[0].major: expected a whole number from -1 to 4095, found -2"},
      {WithResources(R"("hugepageLimits": [{"pageSize": "2M", "limit": 1}])"), kSize + R"("2M")"},
      {WithResources(R"("hugepageLimits": [{"pageSize": "MB", "limit": 1}])"), kSize + R"("MB")"},
      {WithResources(R"("hugepageLimits": [{"pageSize": "../2MB", "limit": 1}])"),
       kSize + R"("../2MB")"},
      {WithResources(R"("rdma": {"mlx": {}})"),
       "linux.resources.rdma.mlx: expected hcaHandles or hcaObjects, found {}"},
      {WithResources(R"("unified": {"../memory.max": "1"})"),
       R"(linux.resources.unified: expected a file's name like memory.high, found "../memory.max")"},
      {WithResources(R"("unified": {"memory": "1"})"),
       R"(linux.resources.unified: expected a file's name like memory.high, found "memory")"},
      {WithResources(R"("unified": {"..": "1"})"),
       R"(linux.resources.unified: expected a file's name like memory.high, found "..")"},
      {WithResources(R"("unified": {"memory.max": 1})"),
       "linux.resources.unified.memory.max: expected a string, found 1"},
  });
}

}  // namespace kiste::oci
