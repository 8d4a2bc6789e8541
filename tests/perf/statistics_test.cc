// SPDX-License-Identifier: Apache-2.0
#include "statistics.h"

#include <gtest/gtest.h>

#include <vector>

namespace kiste::perf {
namespace {

TEST(StatisticsTest, QuartilesInterpolate) {
  const std::vector<double> samples = {4, 1, 3, 2};
  const Summary summary = Summarize(samples);
  EXPECT_DOUBLE_EQ(summary.median, 2.5);
  EXPECT_DOUBLE_EQ(summary.first_quartile, 1.75);
  EXPECT_DOUBLE_EQ(summary.third_quartile, 3.25);
}

TEST(StatisticsTest, OneSampleIsItsOwnSummary) {
  const std::vector<double> samples = {7};
  EXPECT_DOUBLE_EQ(Summarize(samples).median, 7);
  EXPECT_DOUBLE_EQ(RatioOfMedians(samples, samples, 1).high, 1);
}

TEST(StatisticsTest, IntervalEnclosesTheRatio) {
  const std::vector<double> samples = {2.1, 1.9, 2.0, 2.2, 1.8, 2.0};
  const std::vector<double> base = {4.0, 4.1, 3.9, 4.2, 4.0, 3.8};
  const Ratio ratio = RatioOfMedians(samples, base, 1);
  EXPECT_NEAR(ratio.value, 0.5, 1e-9);
  EXPECT_LE(ratio.low, ratio.value);
  EXPECT_GE(ratio.high, ratio.value);
  EXPECT_GT(ratio.low, 0.4);
  EXPECT_LT(ratio.high, 0.6);
}

// A drift that falls on both targets of a round alike leaves their ratio certain.
TEST(StatisticsTest, RoundsAreResampledTogether) {
  const std::vector<double> base = {1, 2, 3, 4, 50, 600, 7000};
  const std::vector<double> samples = {0.5, 1, 1.5, 2, 25, 300, 3500};
  const Ratio ratio = RatioOfMedians(samples, base, 1);
  EXPECT_DOUBLE_EQ(ratio.low, 0.5);
  EXPECT_DOUBLE_EQ(ratio.high, 0.5);
}

}  // namespace
}  // namespace kiste::perf
