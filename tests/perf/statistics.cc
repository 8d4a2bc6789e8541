// SPDX-License-Identifier: Apache-2.0
#include "statistics.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace kiste::perf {
namespace {

constexpr int kResamples = 4000;

double Quantile(std::span<const double> sorted, double fraction) {
  const double place = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(std::floor(place));
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - std::floor(place));
}

double Median(std::vector<double>& samples) {
  std::ranges::sort(samples);
  return Quantile(samples, 0.5);
}

}  // namespace

Summary Summarize(std::span<const double> samples) {
  std::vector<double> sorted(samples.begin(), samples.end());
  std::ranges::sort(sorted);
  return {Quantile(sorted, 0.5), Quantile(sorted, 0.25), Quantile(sorted, 0.75)};
}

Ratio RatioOfMedians(std::span<const double> samples, std::span<const double> base, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<size_t> any_round(0, samples.size() - 1);
  std::vector<double> ratios;
  std::vector<double> drawn(samples.size());
  std::vector<double> drawn_base(samples.size());
  for (int i = 0; i < kResamples; ++i) {
    for (size_t k = 0; k < samples.size(); ++k) {
      const size_t round = any_round(random);
      drawn[k] = samples[round];
      drawn_base[k] = base[round];
    }
    ratios.push_back(Median(drawn) / Median(drawn_base));
  }
  std::ranges::sort(ratios);
  return {Summarize(samples).median / Summarize(base).median, Quantile(ratios, 0.025),
          Quantile(ratios, 0.975)};
}

}  // namespace kiste::perf
