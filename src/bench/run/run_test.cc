// SPDX-License-Identifier: Apache-2.0
#include "bench/run/run.h"

#include <gtest/gtest.h>

#include <set>

#include "bench/run/host.h"
#include "bench/run/noise.h"
#include "bench/run/order.h"
#include "bench/run/progress.h"

namespace kiste::bench {
namespace {

TEST(Order, EveryPairOnceInBlocks) {
  auto order = DrawOrder(4, 3, 7, 1);
  std::set<std::pair<size_t, size_t>> seen;
  for (const auto& place : order) seen.insert({place.target, place.workload});
  EXPECT_EQ(order.size(), 12u);
  EXPECT_EQ(seen.size(), 12u);
  for (size_t at = 0; at < order.size(); ++at)
    EXPECT_EQ(order[at].workload, order[at / 4 * 4].workload);
}

std::string Text(const std::vector<Place>& order) {
  std::string text;
  for (const auto& place : order)
    text += std::to_string(place.workload) + ":" + std::to_string(place.target) + " ";
  return text;
}

TEST(Order, TheSeedDecides) {
  EXPECT_EQ(Text(DrawOrder(5, 5, 7, 1)), Text(DrawOrder(5, 5, 7, 1)));
  EXPECT_NE(Text(DrawOrder(5, 5, 7, 1)), Text(DrawOrder(5, 5, 8, 1)));
  EXPECT_NE(Text(DrawOrder(5, 5, 7, 1)), Text(DrawOrder(5, 5, 7, 2)));
}

TEST(Order, EveryTargetIsFirstAboutAsOften) {
  int first[4] = {};
  for (int round = 0; round < 4000; ++round) ++first[DrawOrder(4, 1, 3, round)[0].target];
  for (int count : first) EXPECT_NEAR(count, 1000, 120);
}

TEST(Noise, TheLineCpuIsRead) {
  auto time = ParseProcessorTime("cpu  10 1 20 300 5 2 3 40 7 0\ncpu0 1 2\n");
  ASSERT_TRUE(time) << time.error().Text();
  EXPECT_EQ(time->busy, 36);
  EXPECT_EQ(time->stolen, 40);
  EXPECT_EQ(time->all, 381);
}

TEST(Noise, WhatIsNoLineCpuIsRefused) {
  EXPECT_FALSE(ParseProcessorTime("cpu0 1 2 3\n"));
  EXPECT_FALSE(ParseProcessorTime("cpu  1 2 3\n"));
  EXPECT_FALSE(ParseProcessorTime("cpu  1 2 x 4 5 6 7 8\n"));
}

TEST(Host, SaysKernelAndProcessors) {
  auto facts = DescribeHost("/");
  std::set<std::string> keys;
  for (const auto& [key, value] : facts) {
    keys.insert(key);
    EXPECT_FALSE(value.empty()) << key;
  }
  for (const char* key : {"kernel", "processors", "memory", "cgroups"})
    EXPECT_TRUE(keys.contains(key)) << key;
}

TEST(Progress, TimesAreClockTexts) {
  EXPECT_EQ(ClockText(std::chrono::seconds(5)), "0:05");
  EXPECT_EQ(ClockText(std::chrono::seconds(200)), "3:20");
  EXPECT_EQ(ClockText(std::chrono::seconds(3723)), "1:02:03");
}

TEST(Missing, IsNamed) {
  TargetDescription target;
  target.program = "no-such-program";
  EXPECT_NE(WhyMissing(target).find("no-such-program"), std::string::npos);
  target.program = "sh";
  EXPECT_EQ(WhyMissing(target), "");
  target.needs = {"/no/such/file"};
  EXPECT_NE(WhyMissing(target).find("/no/such/file"), std::string::npos);
  WorkloadDescription workload;
  workload.method = "guessing";
  EXPECT_NE(WhyMissing(workload).find("guessing"), std::string::npos);
}

}  // namespace
}  // namespace kiste::bench
