// SPDX-License-Identifier: Apache-2.0
//
// What may be said of a few numbers from a noisy machine. Nothing here assumes a distribution:
// medians, bootstrap intervals, rank tests. Random draws come from a generator of our own, seeded
// by the caller: the same numbers give the same interval on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace kiste::bench {

// splitmix64 (Steele, Lea, Flood 2014).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next();
  // Evenly from 0 to below `end`.
  size_t Below(size_t end);
  // Evenly from 0 to below 1.
  double Unit();

 private:
  uint64_t state_;
};

// The numbers from 0 to below `count`, in an order that is drawn.
std::vector<size_t> Permutation(size_t count, Random& random);

// 0 for no numbers. Of an even count the middle two's mean.
double Median(std::span<const double> numbers);
// Between the two nearest ranks, `share` from 0 to 1. `sorted` must be.
double Quantile(std::span<const double> sorted, double share);

struct Interval {
  double low = 0, high = 0;
};
constexpr double kConfidence = 0.99;
// With fewer numbers nothing does: even their range covers the median with 1 - 2^(1-n) only, and it
// is what the bootstrap gives of so few.
constexpr size_t kFewestForInterval = 8;
// The percentile bootstrap of the median (Efron 1979): 10,000 draws. One number is its own
// interval.
Interval BootstrapMedian(std::span<const double> numbers, uint64_t seed,
                         double confidence = kConfidence);

// Which numbers are beyond Tukey's fences, 1.5 times the quartiles' distance from the quartiles. To
// be shown, never to be left out.
std::vector<bool> Outliers(std::span<const double> numbers);

// Two-sided p-value that `a` and `b` are of one distribution, by ranks (Mann and Whitney 1947):
// exact up to 20 on each side where no number is there twice, else by the normal approximation with
// correction for ties and continuity.
double MannWhitney(std::span<const double> a, std::span<const double> b);

// Two-sided p-value that the differences lie around 0, by signed ranks (Wilcoxon 1945): exact up to
// 50 without ties, else by the normal approximation. Zeros are left out.
double SignedRank(std::span<const double> differences);

// Holm's step-down correction (1979): p-values of a family of tests, each as what it must be
// compared with alpha for the whole family to err at most that often. In the order given.
std::vector<double> Holm(std::span<const double> p);

}  // namespace kiste::bench
