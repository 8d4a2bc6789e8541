// SPDX-License-Identifier: Apache-2.0
// Medians, quartiles and the ratio of two medians with a bootstrap interval.
#pragma once

#include <cstdint>
#include <span>

namespace kiste::perf {

struct Summary {
  double median = 0;
  double first_quartile = 0;
  double third_quartile = 0;
};

struct Ratio {
  double value = 0;
  double low = 0;  // 95 % confidence interval
  double high = 0;
};

// Quartiles as linear interpolation between order statistics (type 7). Samples must not be empty.
Summary Summarize(std::span<const double> samples);

// median(samples) / median(base). Sample i of both comes from round i, and rounds are what is
// resampled: what made one round slow for everybody does not widen the interval.
// Both spans have the same length, at least one.
Ratio RatioOfMedians(std::span<const double> samples, std::span<const double> base, uint64_t seed);

}  // namespace kiste::perf
