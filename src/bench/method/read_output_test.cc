// SPDX-License-Identifier: Apache-2.0
#include "bench/method/read_output.h"

#include <gtest/gtest.h>

namespace kiste::bench {
namespace {

TEST(LoadOutput, EveryKindOfLine) {
  auto outcome = ReadLoadOutput(
      "ready\nresult syscall/null ns 120.5 121\nat bytes 4096 allocate/mmap ns 7\r\n"
      "finding files/marker sees /etc is the host's\ncannot network/raw no permission\nend\n");
  ASSERT_TRUE(outcome) << outcome.error().Text();
  ASSERT_EQ(outcome->samples.size(), 3u);
  EXPECT_EQ(outcome->samples[0].metric, "syscall/null");
  EXPECT_EQ(outcome->samples[1].number, 121);
  EXPECT_EQ(outcome->samples[2].at->name, "bytes");
  EXPECT_EQ(outcome->samples[2].at->x, 4096);
  ASSERT_EQ(outcome->findings.size(), 1u);
  EXPECT_EQ(outcome->findings[0].words, "/etc is the host's");
  ASSERT_EQ(outcome->gaps.size(), 1u);
  EXPECT_EQ(outcome->gaps[0].why, "no permission");
}

class WrongOutput : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(WrongOutput, IsNamed) {
  auto outcome = ReadLoadOutput(GetParam().first);
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().Text().find(GetParam().second), std::string::npos)
      << outcome.error().Text();
}

INSTANTIATE_TEST_SUITE_P(All, WrongOutput,
                         testing::Values(std::pair("result a ns 1\n", "a last line `end`"),
                                         std::pair("result a ns x\nend\n", "a number"),
                                         std::pair("result  ns 1\nend\n", "a name"),
                                         std::pair("finding  sees it\nend\n", "a name"),
                                         std::pair("cannot a\x1b[0m b\nend\n", "a name"),
                                         std::pair("at bytes 1  ns 1\nend\n", "a name"),
                                         std::pair("result a ns nan\nend\n", "a number"),
                                         std::pair("result a ns inf\nend\n", "a number"),
                                         std::pair("result a miles 1\nend\n", "a known unit"),
                                         std::pair("result a ns\nend\n",
                                                   "a metric, a unit and numbers"),
                                         std::pair("hello\nend\n", "\"hello\""),
                                         std::pair("end\nresult a ns 1\n", "nothing behind")));

TEST(Patterns, AGroupIsTheNumber) {
  auto outcome =
      ReadByPatterns("total:  12.5s\nother 3", {{"total: +([0-9.]+)s", "x/y", "ns", 1e9}});
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(outcome->samples[0].number, 12.5e9);
}

TEST(Patterns, WhatIsNotFoundOrNoPatternIsNamed) {
  EXPECT_FALSE(ReadByPatterns("x", {{"total ([0-9]+)", "x", "ns", 1}}));
  EXPECT_FALSE(ReadByPatterns("x", {{"(", "x", "ns", 1}}));
  EXPECT_FALSE(ReadByPatterns("x", {{"x", "x", "ns", 1}}));
}

TEST(Medians, OfEachMetricInOrder) {
  Outcome outcome;
  for (double number : {5.0, 1.0, 3.0}) outcome.Add("b", "ns", number);
  for (double number : {4.0, 2.0}) outcome.Add("a", "ns", number);
  outcome.AddAt({"x", 1}, "c", "ns", 9);
  auto medians = Medians(outcome.samples);
  ASSERT_EQ(medians.size(), 2u);
  EXPECT_EQ(medians[0].metric, "b");
  EXPECT_EQ(medians[0].number, 3);
  EXPECT_EQ(medians[1].number, 3);
}

}  // namespace
}  // namespace kiste::bench
