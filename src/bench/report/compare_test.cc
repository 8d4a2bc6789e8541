// SPDX-License-Identifier: Apache-2.0
//
// That a comparison errs as seldom, and sees as much, as it says: on noise as machines have it.
#include "bench/report/compare.h"

#include <gtest/gtest.h>

#include <cmath>

#include "bench/report/fake_run.h"

namespace kiste::bench {
namespace {

enum class Shape { kNormal, kTails, kDrift };

double Normal(Random& random) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += random.Unit();
  return sum;
}

// One measured value around 1: 2 % from round to round; with tails one in ten is up to half as much
// again; with drift the machine gets slower and faster by a tenth, for both sides alike.
double Value(Random& random, Shape shape, int round) {
  double value = 1 + 0.02 * Normal(random);
  if (shape == Shape::kTails && random.Unit() < 0.1) value *= 1 + random.Unit() / 2;
  if (shape == Shape::kDrift) value *= 1 + 0.1 * std::sin(round * 0.7);
  return value;
}

// A run of `a` and `b` with 30 metrics; b is `slower` times as slow in the first of them.
RecordedRun Noise(uint64_t seed, Shape shape, int rounds, double slower) {
  auto run = FakeRun({"a", "b"}, {"w"});
  Random random(seed);
  for (int round = 1; round <= rounds; ++round) {
    for (size_t target = 0; target < 2; ++target) {
      auto& outcome = AddTrial(run, target, 0, round);
      for (int metric = 0; metric < 30; ++metric) {
        double factor = target == 1 && metric == 0 ? slower : 1;
        outcome.Add("m" + std::to_string(metric), "ns",
                    1000 * factor * Value(random, shape, round));
      }
    }
  }
  return run;
}

class ComparisonOf : public testing::TestWithParam<Shape> {};

TEST_P(ComparisonOf, AThingWithItselfSaysNoDifference) {
  int said = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    auto comparison = CompareTargets(Noise(seed, GetParam(), 15, 1), "a", "b");
    ASSERT_TRUE(comparison);
    said += comparison->any() ? 1 : 0;
  }
  EXPECT_LE(said, 5);  // one is expected
}

// In 20 rounds; where one in ten is disturbed by as much as half, in 50.
TEST_P(ComparisonOf, FivePercentAreFound) {
  int found = 0, rounds = GetParam() == Shape::kTails ? 50 : 20;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    auto comparison = CompareTargets(Noise(seed, GetParam(), rounds, 1.05), "a", "b");
    ASSERT_TRUE(comparison);
    found += comparison->differences[0].verdict == Verdict::kWorse ? 1 : 0;
  }
  EXPECT_GE(found, 45);
}

INSTANTIATE_TEST_SUITE_P(All, ComparisonOf,
                         testing::Values(Shape::kNormal, Shape::kTails, Shape::kDrift));

// Two workloads of 15 metrics: together they take 13 rounds, one of them 12.
TEST(KeepWorkloads, LetsFewerRoundsDecide) {
  auto run = FakeRun({"a", "b"}, {"v", "w"});
  Random random(1);
  for (int round = 1; round <= 12; ++round) {
    for (size_t trial = 0; trial < 4; ++trial) {
      auto& outcome = AddTrial(run, trial % 2, trial / 2, round);
      for (int metric = 0; metric < 15; ++metric) {
        outcome.Add("m" + std::to_string(metric), "ns",
                    (trial % 2 == 0 ? 1000 : 1100) * Value(random, Shape::kNormal, round));
      }
    }
  }
  auto all = CompareTargets(run, "a", "b");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->differences.size(), 30);
  EXPECT_FALSE(all->decided());
  ASSERT_TRUE(KeepWorkloads(run, {"w"}));
  auto one = CompareTargets(run, "a", "b");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->differences.size(), 15);
  EXPECT_EQ(one->differences[0].workload, "w");
  EXPECT_EQ(one->undecided(), 0);
  EXPECT_TRUE(one->any());
}

TEST(KeepWorkloads, NamesOneThatIsNotThere) {
  auto run = FakeRun({"a"}, {"v", "w"});
  AddTrial(run, 0, 0, 1);
  auto kept = KeepWorkloads(run, {"v", "x"});
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().Text(), "run fake: expected one of the workloads v, w, found \"x\"");
  EXPECT_EQ(run.trials.size(), 1);
}

TEST(CompareRuns, OfOneThingSayNoDifference) {
  int said = 0;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    auto comparison = CompareRuns(Noise(2 * seed, Shape::kNormal, 12, 1),
                                  Noise(2 * seed + 1, Shape::kNormal, 12, 1));
    said += comparison.any() ? 1 : 0;
  }
  EXPECT_LE(said, 3);
}

TEST(CompareRuns, FindWhatChanged) {
  auto comparison = CompareRuns(Noise(1, Shape::kNormal, 20, 1), Noise(2, Shape::kNormal, 20, 1.1));
  EXPECT_TRUE(comparison.any());
  for (const auto& difference : comparison.differences) {
    bool changed = difference.target == "b" && difference.metric == "m0";
    EXPECT_EQ(difference.verdict, changed ? Verdict::kWorse : Verdict::kSame)
        << difference.target << difference.metric;
  }
}

TEST(Comparison, SaysWhenThereAreTooFewRounds) {
  auto comparison = CompareTargets(Noise(1, Shape::kNormal, 5, 2), "a", "b");
  ASSERT_TRUE(comparison);
  EXPECT_FALSE(comparison->any());
  EXPECT_EQ(comparison->differences[0].verdict, Verdict::kTooFew);
  EXPECT_EQ(comparison->needed, 13);  // 2 * 2^-13 * 30 < 0.01
}

TEST(Comparison, WhatHasTooFewRoundsDoesNotDiluteTheRest) {
  auto run = FakeRun({"a", "b"}, {"w"});
  for (int round = 1; round <= 14; ++round) {
    for (size_t target = 0; target < 2; ++target) {
      auto& outcome = AddTrial(run, target, 0, round);
      outcome.Add("m", "ns", 100 + round + 50 * static_cast<double>(target));
      if (round > 2) continue;
      for (int i = 0; i < 40; ++i) outcome.Add("few" + std::to_string(i), "ns", 100);
    }
  }
  auto comparison = CompareTargets(run, "a", "b");
  EXPECT_EQ(comparison->differences[0].verdict, Verdict::kWorse);
  EXPECT_EQ(comparison->differences[1].verdict, Verdict::kTooFew);
}

TEST(CompareRuns, AHundredthIsNoDifference) {
  auto make = [](double factor) {
    auto run = FakeRun({"a", "b"}, {"w"});
    for (int round = 1; round <= 20; ++round) {
      AddTrial(run, 0, 0, round).Add("m", "ns", 1000);
      AddTrial(run, 1, 0, round).Add("m", "ns", factor * (2000 + 0.001 * round));
    }
    return run;
  };
  EXPECT_FALSE(CompareRuns(make(1), make(1.005)).any());
  EXPECT_TRUE(CompareRuns(make(1), make(1.05)).any());
}

TEST(Comparison, MoreIsBetterPerSecond) {
  auto run = FakeRun({"a", "b"}, {"w"});
  for (int round = 1; round <= 12; ++round) {
    AddTrial(run, 0, 0, round).Add("m", "1/s", 100 + round);
    AddTrial(run, 1, 0, round).Add("m", "1/s", 200 + round);
  }
  EXPECT_EQ(CompareTargets(run, "a", "b")->differences[0].verdict, Verdict::kBetter);
  EXPECT_EQ(CompareTargets(run, "b", "a")->differences[0].verdict, Verdict::kWorse);
}

TEST(Comparison, AFunctionOfXIsOneTest) {
  auto run = FakeRun({"a", "b"}, {"w"});
  for (int round = 1; round <= 6; ++round) {
    for (size_t target = 0; target < 2; ++target) {
      auto& outcome = AddTrial(run, target, 0, round);
      for (double x : {1.0, 2.0}) outcome.AddAt({"n", x}, "m", "ns", x * 10);
    }
  }
  EXPECT_EQ(CompareTargets(run, "a", "b")->differences.size(), 1u);
}

// A run of `a` and `b`, whose probe finds what is given.
RecordedRun Probed(const std::string& a, const std::string& b) {
  auto run = FakeRun({"a", "b"}, {"w"});
  AddTrial(run, 0, 0, 1).findings.push_back({"files/other", a, ""});
  AddTrial(run, 1, 0, 1).findings.push_back({"files/other", b, ""});
  return run;
}

TEST(Comparison, AProbeThatFindsSomethingElseIsADifference) {
  auto comparison = CompareTargets(Probed("closed", "touches"), "a", "b");
  ASSERT_TRUE(comparison);
  EXPECT_TRUE(comparison->any());
  ASSERT_EQ(comparison->findings.size(), 1u);
  EXPECT_EQ(comparison->findings[0].second, "touches");
  EXPECT_NE(TerminalComparison(*comparison).find("files/other  closed -> touches"),
            std::string::npos);
  EXPECT_FALSE(CompareTargets(Probed("sees", "sees"), "a", "b")->any());
  EXPECT_FALSE(CompareTargets(Probed("sees", "unknown"), "a", "b")->any());
}

TEST(CompareRuns, ProbesAreComparedByTarget) {
  auto comparison = CompareRuns(Probed("closed", "sees"), Probed("closed", "closed"));
  ASSERT_EQ(comparison.findings.size(), 1u);
  EXPECT_EQ(comparison.findings[0].target, "b");
  EXPECT_EQ(comparison.findings[0].first, "sees");
  EXPECT_EQ(comparison.probes, 2u);
}

TEST(Comparison, ThatCouldDecideNothingSaysSo) {
  auto few = CompareTargets(Noise(1, Shape::kNormal, 2, 2), "a", "b");
  ASSERT_TRUE(few);
  EXPECT_FALSE(few->decided());
  EXPECT_EQ(few->undecided(), 30u);
  EXPECT_NE(TerminalComparison(*few).find("No metric could be decided."), std::string::npos);
  EXPECT_EQ(TerminalComparison(*few).find("No difference"), std::string::npos);
  auto enough = CompareTargets(Noise(1, Shape::kNormal, 15, 1), "a", "b");
  EXPECT_TRUE(enough->decided());
}

TEST(Comparison, AnUnknownTargetIsNamed) {
  auto comparison = CompareTargets(FakeRun({"a"}, {}), "a", "c");
  ASSERT_FALSE(comparison);
  EXPECT_NE(comparison.error().Text().find("\"c\""), std::string::npos);
}

}  // namespace
}  // namespace kiste::bench
