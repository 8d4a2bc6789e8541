// SPDX-License-Identifier: Apache-2.0
//
// linux.resources on their way to the cgroup floor (resources.cc).
#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/plan.h"

namespace kiste::runtime {

TEST(CgroupResources, DevicesBetweenDenyAllAndTheDefaults) {
  oci::Resources from;
  from.devices.push_back({.allow = true, .type = 'b', .major = 8, .minor = 0, .access = "r"});
  from.devices.push_back({.allow = false, .type = 'c', .major = 1, .minor = 3, .access = "rwm"});
  auto rules = CgroupResources(from).devices;
  ASSERT_GT(rules.size(), 3u);
  EXPECT_FALSE(rules[0].allow);
  EXPECT_EQ(rules[0].type, 'a');
  EXPECT_EQ(rules[0].access, "rwm");
  EXPECT_TRUE(rules[1].allow);
  EXPECT_EQ(rules[1].type, 'b');
  EXPECT_EQ(rules[1].major, 8);
  EXPECT_EQ(rules[1].access, "r");
  // Later rules win: nobody takes /dev/null away.
  auto null = std::find_if(rules.begin() + 3, rules.end(), [](const auto& rule) {
    return rule.type == 'c' && rule.major == 1 && rule.minor == 3;
  });
  ASSERT_NE(null, rules.end());
  EXPECT_TRUE(null->allow && null->access == "rwm");
}

TEST(CgroupResources, NothingMoreWithoutAWord) {
  auto to = CgroupResources({});
  EXPECT_FALSE(to.memory || to.cpu || to.pids_limit || to.block_io || to.network);
  EXPECT_TRUE(to.hugepage_limits.empty() && to.rdma.empty() && to.unified.empty());
}

TEST(CgroupResources, EveryNumberArrives) {
  oci::Resources from;
  from.memory = oci::Memory{.limit = 1,
                            .reservation = 2,
                            .swap = 3,
                            .kernel = 4,
                            .kernel_tcp = 5,
                            .swappiness = 6,
                            .disable_oom_killer = true,
                            .use_hierarchy = false,
                            .check_before_update = true};
  from.cpu = oci::Cpu{.shares = 1,
                      .burst = 2,
                      .period = 3,
                      .realtime_period = 4,
                      .quota = 5,
                      .realtime_runtime = 6,
                      .idle = 7,
                      .cpus = "0-1",
                      .mems = "0"};
  from.pids_limit = -1;
  from.block_io.emplace();
  from.block_io->weight = 10;
  from.block_io->leaf_weight = 11;
  from.block_io->weight_device.push_back({8, 0, 12, 13});
  from.block_io->throttle_read_bps.push_back({8, 1, 100});
  from.block_io->throttle_write_bps.push_back({8, 2, 200});
  from.block_io->throttle_read_iops.push_back({8, 3, 300});
  from.block_io->throttle_write_iops.push_back({8, 4, 400});
  from.hugepage_limits.push_back({"2MB", 4096});
  from.network.emplace();
  from.network->class_id = 9;
  from.network->priorities.push_back({"eth0", 3});
  from.rdma["mlx"] = {1, 2};
  from.unified["memory.high"] = "7";
  auto to = CgroupResources(from);
  const auto& memory = to.memory.value();
  EXPECT_EQ(memory.limit, 1);
  EXPECT_EQ(memory.reservation, 2);
  EXPECT_EQ(memory.swap, 3);
  EXPECT_EQ(memory.kernel, 4);
  EXPECT_EQ(memory.kernel_tcp, 5);
  EXPECT_EQ(memory.swappiness, 6u);
  EXPECT_EQ(memory.disable_oom_killer, true);
  EXPECT_EQ(memory.use_hierarchy, false);
  EXPECT_EQ(memory.check_before_update, true);
  const auto& cpu = to.cpu.value();
  EXPECT_EQ(cpu.shares, 1u);
  EXPECT_EQ(cpu.burst, 2u);
  EXPECT_EQ(cpu.period, 3u);
  EXPECT_EQ(cpu.realtime_period, 4u);
  EXPECT_EQ(cpu.quota, 5);
  EXPECT_EQ(cpu.realtime_runtime, 6);
  EXPECT_EQ(cpu.idle, 7);
  EXPECT_EQ(cpu.cpus + "/" + cpu.mems, "0-1/0");
  EXPECT_EQ(to.pids_limit, -1);
  const auto& io = to.block_io.value();
  EXPECT_EQ(io.weight, 10);
  EXPECT_EQ(io.leaf_weight, 11);
  EXPECT_EQ(io.weight_device.at(0).leaf_weight, 13);
  EXPECT_EQ(io.throttle_read_bps.at(0).rate, 100u);
  EXPECT_EQ(io.throttle_write_bps.at(0).rate, 200u);
  EXPECT_EQ(io.throttle_read_iops.at(0).rate, 300u);
  EXPECT_EQ(io.throttle_write_iops.at(0).rate, 400u);
  EXPECT_EQ(io.throttle_write_iops.at(0).minor, 4);
  EXPECT_EQ(to.hugepage_limits.at(0).limit, 4096u);
  EXPECT_EQ(to.network->class_id, 9u);
  EXPECT_EQ(to.network->priorities.at(0).name, "eth0");
  EXPECT_EQ(to.rdma.at("mlx").hca_objects, 2u);
  EXPECT_EQ(to.unified.at("memory.high"), "7");
}

}  // namespace kiste::runtime
