// SPDX-License-Identifier: Apache-2.0
#include "runtime/update.h"

#include <gtest/gtest.h>

#include "oci/merge_resources.h"

namespace kiste::runtime {
namespace {

oci::Resources Written(const oci::Resources& base, const oci::Resources& given) {
  return ToWrite(given, oci::MergeResources(base, given));
}

TEST(ToWrite, MemoryAndSwapGoTogether) {
  oci::Resources base, given;
  base.memory = oci::Memory{.limit = 10, .reservation = 5, .swap = 20};
  given.memory = oci::Memory{.limit = 12};
  auto memory = Written(base, given).memory.value();
  EXPECT_EQ(memory.limit, 12);
  EXPECT_EQ(memory.swap, 20);
  EXPECT_FALSE(memory.reservation);
  given.memory = oci::Memory{.reservation = 6};
  memory = Written(base, given).memory.value();
  EXPECT_FALSE(memory.limit || memory.swap);
  given.memory = oci::Memory{.limit = -1, .swap = 0};
  EXPECT_EQ(Written(base, given).memory.value().swap, 0);
}

TEST(ToWrite, TheWeightComesBackAfterIdleness) {
  oci::Resources base, given;
  base.cpu = oci::Cpu{.shares = 512, .quota = 1000};
  given.cpu = oci::Cpu{.idle = 0};
  auto cpu = Written(base, given).cpu.value();
  EXPECT_EQ(cpu.shares, 512u);
  EXPECT_FALSE(cpu.quota);
  given.cpu = oci::Cpu{.idle = 1};
  EXPECT_FALSE(Written(base, given).cpu.value().shares);
}

TEST(ToWrite, DevicesAreTheGivenOnes) {
  oci::Resources base, given;
  base.devices.emplace_back();
  EXPECT_TRUE(Written(base, given).devices.empty());
  given.devices.push_back({.allow = true});
  EXPECT_EQ(Written(base, given).devices, given.devices);
}

}  // namespace
}  // namespace kiste::runtime
