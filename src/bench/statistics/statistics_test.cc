// SPDX-License-Identifier: Apache-2.0
//
// Known values were worked out by counting all cases, or by hand.
#include "bench/statistics/statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace kiste::bench {
namespace {

using Numbers = std::vector<double>;

TEST(Median, OddEvenAndNone) {
  EXPECT_EQ(Median(Numbers{3, 1, 2}), 2);
  EXPECT_EQ(Median(Numbers{4, 1, 2, 3}), 2.5);
  EXPECT_EQ(Median(Numbers{}), 0);
}

TEST(Permutation, EveryNumberOnceAndEveryPlaceAboutAsOften) {
  Random random(5);
  std::array<int, 4> place_of_first = {};
  for (int i = 0; i < 4000; ++i) {
    auto order = Permutation(4, random);
    std::array<int, 4> seen = {};
    for (size_t number : order) ++seen.at(number);
    EXPECT_EQ(seen, (std::array<int, 4>{1, 1, 1, 1}));
    ++place_of_first.at(
        static_cast<size_t>(std::find(order.begin(), order.end(), 0u) - order.begin()));
  }
  for (int count : place_of_first) EXPECT_NEAR(count, 1000, 120);
}

TEST(Quantile, BetweenRanks) {
  Numbers sorted = {1, 2, 3, 4};
  EXPECT_DOUBLE_EQ(Quantile(sorted, 0.25), 1.75);
  EXPECT_DOUBLE_EQ(Quantile(sorted, 1), 4);
}

TEST(Bootstrap, HoldsTheMedianAndRepeats) {
  Numbers numbers = {10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
  auto interval = BootstrapMedian(numbers, 1);
  EXPECT_LT(interval.low, 15);
  EXPECT_GT(interval.high, 15);
  EXPECT_GE(interval.low, 10);
  auto again = BootstrapMedian(numbers, 1);
  EXPECT_EQ(interval.low, again.low);
  EXPECT_EQ(BootstrapMedian(Numbers{7}, 1).low, 7);
}

// The interval holds the true median about as often as it says.
TEST(Bootstrap, CoversAboutAsOftenAsItSays) {
  Random random(5);
  int held = 0;
  constexpr int kTries = 200;
  for (int i = 0; i < kTries; ++i) {
    Numbers numbers;
    for (int j = 0; j < 25; ++j) numbers.push_back(random.Unit());
    auto interval = BootstrapMedian(numbers, static_cast<uint64_t>(i), 0.95);
    held += interval.low <= 0.5 && interval.high >= 0.5 ? 1 : 0;
  }
  EXPECT_GE(held, kTries * 90 / 100);
  EXPECT_LE(held, kTries * 99 / 100);
}

TEST(Outliers, BeyondTheFences) {
  auto beyond = Outliers(Numbers{1, 2, 3, 2, 1, 50});
  EXPECT_EQ(beyond, (std::vector<bool>{false, false, false, false, false, true}));
  EXPECT_EQ(Outliers(Numbers{1, 1, 100}), (std::vector<bool>{false, false, false}));
}

TEST(MannWhitney, ExactValues) {
  EXPECT_NEAR(MannWhitney(Numbers{1, 2, 3}, Numbers{4, 5, 6}), 0.1, 1e-12);
  EXPECT_NEAR(MannWhitney(Numbers{1, 3, 5}, Numbers{2, 4, 6}), 0.7, 1e-12);
  EXPECT_NEAR(MannWhitney(Numbers{1.1, 2.2, 3.3, 4.4}, Numbers{0.1, 0.2, 0.3, 9, 10}), 0.7301587,
              1e-6);
}

TEST(MannWhitney, WithTies) {
  EXPECT_NEAR(MannWhitney(Numbers{1, 2, 2, 3}, Numbers{2, 3, 4, 5}), 0.1366583, 1e-6);
  EXPECT_EQ(MannWhitney(Numbers{1, 1}, Numbers{1, 1}), 1);
}

TEST(SignedRank, ExactValues) {
  EXPECT_NEAR(SignedRank(Numbers{1, 2, 3, 4, 5}), 0.0625, 1e-12);
  EXPECT_NEAR(SignedRank(Numbers{1, -2, 3, -4, 5}), 0.8125, 1e-12);
  EXPECT_NEAR(SignedRank(Numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, -10}), 0.083984375, 1e-9);
  EXPECT_EQ(SignedRank(Numbers{0, 0}), 1);
}

TEST(Holm, StepsDown) {
  auto corrected = Holm(Numbers{0.01, 0.04, 0.03, 0.005});
  EXPECT_NEAR(corrected[0], 0.03, 1e-12);
  EXPECT_NEAR(corrected[1], 0.06, 1e-12);
  EXPECT_NEAR(corrected[2], 0.06, 1e-12);
  EXPECT_NEAR(corrected[3], 0.02, 1e-12);
}

// Under no difference p-values are small as seldom as they say.
TEST(Tests, ErrAsOftenAsTheySay) {
  Random random(9);
  int by_ranks = 0, by_signs = 0;
  constexpr int kTries = 2000;
  for (int i = 0; i < kTries; ++i) {
    Numbers a, b, differences;
    for (int j = 0; j < 12; ++j) {
      a.push_back(random.Unit());
      b.push_back(random.Unit());
      differences.push_back(a.back() - b.back());
    }
    by_ranks += MannWhitney(a, b) < 0.05 ? 1 : 0;
    by_signs += SignedRank(differences) < 0.05 ? 1 : 0;
  }
  EXPECT_NEAR(by_ranks, kTries * 0.05, 40);
  EXPECT_NEAR(by_signs, kTries * 0.05, 40);
}

}  // namespace
}  // namespace kiste::bench
