// SPDX-License-Identifier: Apache-2.0
#include "runtime/intel_rdt.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace kiste::runtime {
namespace {

namespace fs = std::filesystem;

// A folder stands for the mount. What the kernel would put into a new group is not there, so tests
// that write make the group themselves.
class IntelRdtTest : public testing::Test {
 protected:
  IntelRdtTest() : resctrl_(MakeRoot()) { record_.id = "box"; }
  ~IntelRdtTest() override { fs::remove_all(resctrl_.root()); }
  static std::string MakeRoot() {
    char name[] = "/tmp/intel-rdt-test-XXXXXX";
    std::string root = mkdtemp(name);
    for (const char* resource : {"L3", "MB", "L3_MON"})
      fs::create_directories(root + "/info/" + resource);
    return root;
  }
  std::string Group(const std::string& name, const std::string& schemata) {
    std::string path = resctrl_.root() + "/" + name;
    fs::create_directories(path + "/mon_groups");
    std::ofstream(path + "/schemata") << schemata;
    std::ofstream(path + "/tasks") << "";
    return path;
  }
  void Info(const std::string& file, const std::string& text) {
    std::ofstream(resctrl_.root() + "/info/" + file) << text;
  }
  static void Count(const std::string& group, const std::string& domain, const std::string& file,
                    const std::string& text) {
    fs::create_directories(group + "/mon_data/" + domain);
    std::ofstream(group + "/mon_data/" + domain + "/" + file) << text;
  }
  sys::Resctrl resctrl_;
  Record record_;
};

TEST_F(IntelRdtTest, AGroupOfTheContainersOwnGoesWithIt) {
  ASSERT_TRUE(PlanRdt(resctrl_, {}, record_));
  EXPECT_EQ(record_.rdt.control, resctrl_.root() + "/box");
  ASSERT_TRUE(MakeRdt(resctrl_, {}, record_.rdt));
  EXPECT_TRUE(fs::is_directory(record_.rdt.control));
  ASSERT_TRUE(RemoveRdt(record_.rdt));
  EXPECT_FALSE(fs::exists(record_.rdt.control));
}

TEST_F(IntelRdtTest, ANamedClassStays) {
  oci::IntelRdt wanted;
  wanted.clos_id = "gold";
  std::string group = Group("gold", "L3:0=f\n");
  ASSERT_TRUE(PlanRdt(resctrl_, wanted, record_));
  ASSERT_TRUE(MakeRdt(resctrl_, wanted, record_.rdt));
  ASSERT_TRUE(JoinRdt(record_.rdt, 7));
  ASSERT_TRUE(RemoveRdt(record_.rdt));
  EXPECT_TRUE(fs::exists(group));
}

TEST_F(IntelRdtTest, ANamedClassWithoutSchemataMustBeThere) {
  oci::IntelRdt wanted;
  wanted.clos_id = "gold";
  auto planned = PlanRdt(resctrl_, wanted, record_);
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().kind, ErrorKind::kNotFound);
}

TEST_F(IntelRdtTest, ANamedClassWithOtherSchemataIsRefused) {
  oci::IntelRdt wanted;
  wanted.clos_id = "gold";
  wanted.l3_cache_schema = "L3:0=f";
  Group("gold", "L3:0=ff\n");
  ASSERT_TRUE(PlanRdt(resctrl_, wanted, record_));
  auto made = MakeRdt(resctrl_, wanted, record_.rdt);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::kExists);
}

TEST_F(IntelRdtTest, TheDefaultClassIsTheRoot) {
  oci::IntelRdt wanted;
  wanted.clos_id = "/";
  ASSERT_TRUE(PlanRdt(resctrl_, wanted, record_));
  EXPECT_EQ(record_.rdt.control, resctrl_.root());
  EXPECT_FALSE(record_.rdt.control_is_ours);
}

TEST_F(IntelRdtTest, AMonitoringGroupIsMadeInTheClassAndRemoved) {
  oci::IntelRdt wanted;
  wanted.clos_id = "gold";
  wanted.enable_monitoring = true;
  std::string group = Group("gold", "");
  ASSERT_TRUE(PlanRdt(resctrl_, wanted, record_));
  ASSERT_TRUE(MakeRdt(resctrl_, wanted, record_.rdt));
  EXPECT_TRUE(fs::is_directory(group + "/mon_groups/box"));
  ASSERT_TRUE(RemoveRdt(record_.rdt));
  EXPECT_FALSE(fs::exists(group + "/mon_groups/box"));
}

TEST_F(IntelRdtTest, WhatTheHardwareLacksIsRefused) {
  fs::remove(resctrl_.root() + "/info/MB");
  oci::IntelRdt wanted;
  wanted.mem_bw_schema = "MB:0=10";
  auto planned = PlanRdt(resctrl_, wanted, record_);
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().kind, ErrorKind::kUnsupported);
}

TEST_F(IntelRdtTest, WhenItsSchemataAreRefusedAGroupMadeNowGoes) {
  oci::IntelRdt wanted;
  wanted.clos_id = "new";
  wanted.l3_cache_schema = "L3:0=f";
  ASSERT_TRUE(PlanRdt(resctrl_, wanted, record_));
  EXPECT_FALSE(MakeRdt(resctrl_, wanted, record_.rdt));  // the folder has no such file
  EXPECT_FALSE(fs::exists(resctrl_.root() + "/new"));
}

TEST_F(IntelRdtTest, StatsAreThoseOfTheGroupAndItsDomains) {
  std::string group = Group("box", "L3:0=f;1=ff\nMB:0= 20\n");
  Group("", "    L3:0=7ff;1=7ff\n    MB:0=100\n");
  Info("L3/cbm_mask", "7ff\n");
  Info("L3/num_closids", "16\n");
  Info("MB/bandwidth_gran", "10\n");
  Info("L3_MON/mon_features", "llc_occupancy\nmbm_total_bytes\n");
  Count(group, "mon_L3_01", "llc_occupancy", "Unavailable\n");
  Count(group, "mon_L3_00", "llc_occupancy", "4096\n");
  Count(group, "mon_L3_00", "mbm_total_bytes", "7\n");
  ASSERT_TRUE(PlanRdt(resctrl_, {}, record_));
  auto stats = ReadRdtStats(resctrl_, record_.rdt);
  ASSERT_TRUE(stats) << stats.error().Text();
  EXPECT_EQ(stats->cache->cbm_mask, "7ff");
  EXPECT_EQ(stats->cache->num_closids, 16u);
  EXPECT_EQ(stats->cache->root_schema, "L3:0=7ff;1=7ff");
  EXPECT_EQ(stats->cache->schema, "L3:0=f;1=ff");
  EXPECT_EQ(stats->bandwidth->gran, 10u);
  EXPECT_EQ(stats->bandwidth->schema, "MB:0= 20");
  EXPECT_TRUE(stats->counts_bandwidth && stats->counts_occupancy);
  ASSERT_EQ(stats->domains.size(), 2u);
  EXPECT_EQ(stats->domains[0].llc_occupancy, 4096u);
  EXPECT_EQ(stats->domains[0].mbm_total_bytes, 7u);
  EXPECT_EQ(stats->domains[1].llc_occupancy, std::nullopt);
}

TEST_F(IntelRdtTest, AMonitoringGroupsCountersAreTheContainers) {
  std::string group = Group("gold", "L3:0=f\n");
  Group("", "L3:0=f\n");
  Info("L3_MON/mon_features", "llc_occupancy\n");
  Count(group, "mon_L3_00", "llc_occupancy", "1\n");
  Count(group + "/mon_groups/box", "mon_L3_00", "llc_occupancy", "2\n");
  oci::IntelRdt wanted;
  wanted.clos_id = "gold";
  wanted.enable_monitoring = true;
  ASSERT_TRUE(PlanRdt(resctrl_, wanted, record_));
  auto stats = ReadRdtStats(resctrl_, record_.rdt);
  ASSERT_TRUE(stats) << stats.error().Text();
  ASSERT_EQ(stats->domains.size(), 1u);
  EXPECT_EQ(stats->domains[0].llc_occupancy, 2u);
}

TEST_F(IntelRdtTest, WithoutMonitorsNothingIsCounted) {
  fs::remove(resctrl_.root() + "/info/MB");
  Group("box", "L3:0=f\n");
  Group("", "L3:0=f\n");
  ASSERT_TRUE(PlanRdt(resctrl_, {}, record_));
  auto stats = ReadRdtStats(resctrl_, record_.rdt);
  ASSERT_TRUE(stats) << stats.error().Text();
  EXPECT_TRUE(stats->cache && !stats->bandwidth && stats->domains.empty());
  EXPECT_FALSE(stats->counts_bandwidth || stats->counts_occupancy);
}

TEST_F(IntelRdtTest, TheRecordKeepsTheGroups) {
  ASSERT_TRUE(PlanRdt(resctrl_, {}, record_));
  auto read = ParseRecord(RecordJson(record_), "state.json");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->rdt.control, record_.rdt.control);
  EXPECT_TRUE(read->rdt.control_is_ours);
}

}  // namespace
}  // namespace kiste::runtime
