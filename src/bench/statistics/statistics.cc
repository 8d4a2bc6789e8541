// SPDX-License-Identifier: Apache-2.0
#include "bench/statistics/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace kiste::bench {

namespace {

constexpr int kDraws = 10'000;

// Ranks from 1; what is equal shares the mean. `ties` becomes the sum of t^3 - t.
std::vector<double> Ranks(std::span<const double> numbers, double& ties) {
  std::vector<size_t> order(numbers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return numbers[a] < numbers[b]; });
  std::vector<double> ranks(numbers.size());
  ties = 0;
  for (size_t from = 0; from < order.size();) {
    size_t to = from + 1;
    while (to < order.size() && numbers[order[to]] <= numbers[order[from]]) ++to;
    auto count = static_cast<double>(to - from);
    if (to - from > 1) ties += count * count * count - count;
    for (size_t at = from; at < to; ++at) ranks[order[at]] = static_cast<double>(from + to + 1) / 2;
    from = to;
  }
  return ranks;
}

double TwoSidedNormal(double z) { return std::erfc(std::abs(z) / std::sqrt(2.0)); }

// In how many ways each sum can be had: of `count` ranks out of 1 … `most` (any number of them when
// count is 0), as shares of all ways.
std::vector<double> WaysOfSubsets(size_t most) {
  std::vector<double> ways(most * (most + 1) / 2 + 1, 0.0);
  ways[0] = 1;
  size_t reach = 0;
  for (size_t rank = 1; rank <= most; ++rank) {
    reach += rank;
    for (size_t sum = reach; sum >= rank; --sum) ways[sum] += ways[sum - rank];
    for (auto& way : ways) way /= 2;
  }
  return ways;
}

// U's distribution for sides of a and b numbers: ways[u] of choosing, not normalised.
std::vector<double> WaysOfU(size_t a, size_t b) {
  // ways[i][u]: i of the first side placed among the j seen so far; rolled over j.
  std::vector<std::vector<double>> ways(a + 1, std::vector<double>(a * b + 1, 0.0));
  ways[0][0] = 1;
  for (size_t j = 1; j <= a + b; ++j) {
    for (size_t i = std::min(a, j); i >= 1; --i) {
      // The j-th smallest is of the first side: it beats the j - i of the other side before it.
      if (j < i || j - i > b) continue;
      size_t beaten = j - i;
      for (size_t u = a * b + 1; u-- > beaten;) ways[i][u] += ways[i - 1][u - beaten];
    }
  }
  return ways[a];
}

double ExactMannWhitney(double u, size_t a, size_t b) {
  auto ways = WaysOfU(a, b);
  double all = std::accumulate(ways.begin(), ways.end(), 0.0);
  double low = std::min(u, static_cast<double>(a * b) - u);
  double tail = 0;
  for (size_t at = 0; static_cast<double>(at) <= low; ++at) tail += ways[at];
  return std::min(1.0, 2 * tail / all);
}

}  // namespace

uint64_t Random::Next() {
  uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

size_t Random::Below(size_t end) { return static_cast<size_t>(Next() % end); }

double Random::Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

// Not std::shuffle, whose result depends on the library.
std::vector<size_t> Permutation(size_t count, Random& random) {
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t left = count; left > 1; --left) std::swap(order[left - 1], order[random.Below(left)]);
  return order;
}

double Median(std::span<const double> numbers) {
  std::vector<double> sorted(numbers.begin(), numbers.end());
  std::sort(sorted.begin(), sorted.end());
  return Quantile(sorted, 0.5);
}

double Quantile(std::span<const double> sorted, double share) {
  if (sorted.empty()) return 0;
  double at = share * static_cast<double>(sorted.size() - 1);
  auto below = static_cast<size_t>(at);
  size_t above = std::min(below + 1, sorted.size() - 1);
  double part = at - static_cast<double>(below);
  return sorted[below] + part * (sorted[above] - sorted[below]);
}

Interval BootstrapMedian(std::span<const double> numbers, uint64_t seed, double confidence) {
  if (numbers.empty()) return {};
  Random random(seed);
  std::vector<double> medians(kDraws), draw(numbers.size());
  for (auto& median : medians) {
    for (auto& number : draw) number = numbers[random.Below(numbers.size())];
    auto middle = draw.begin() + static_cast<ptrdiff_t>(draw.size() / 2);
    std::nth_element(draw.begin(), middle, draw.end());
    median = *middle;
    if (draw.size() % 2 == 0) median = (median + *std::max_element(draw.begin(), middle)) / 2;
  }
  std::sort(medians.begin(), medians.end());
  double tail = (1 - confidence) / 2;
  return {Quantile(medians, tail), Quantile(medians, 1 - tail)};
}

std::vector<bool> Outliers(std::span<const double> numbers) {
  std::vector<double> sorted(numbers.begin(), numbers.end());
  std::sort(sorted.begin(), sorted.end());
  double low = Quantile(sorted, 0.25), high = Quantile(sorted, 0.75);
  double reach = 1.5 * (high - low);
  std::vector<bool> beyond;
  for (double number : numbers)
    beyond.push_back(numbers.size() > 3 && (number < low - reach || number > high + reach));
  return beyond;
}

double MannWhitney(std::span<const double> a, std::span<const double> b) {
  if (a.empty() || b.empty()) return 1;
  std::vector<double> all(a.begin(), a.end());
  all.insert(all.end(), b.begin(), b.end());
  double ties = 0;
  auto ranks = Ranks(all, ties);
  double sum =
      std::accumulate(ranks.begin(), ranks.begin() + static_cast<ptrdiff_t>(a.size()), 0.0);
  auto n = static_cast<double>(a.size()), m = static_cast<double>(b.size());
  double u = sum - n * (n + 1) / 2;
  constexpr size_t kMostExact = 20;
  if (ties <= 0 && a.size() <= kMostExact && b.size() <= kMostExact)
    return ExactMannWhitney(u, a.size(), b.size());
  double both = n + m;
  double variance = n * m / 12 * ((both + 1) - ties / (both * (both - 1)));
  if (variance <= 0) return 1;
  double distance = std::max(0.0, std::abs(u - n * m / 2) - 0.5);
  return TwoSidedNormal(distance / std::sqrt(variance));
}

double SignedRank(std::span<const double> differences) {
  std::vector<double> sizes;
  std::vector<bool> positive;
  for (double difference : differences) {
    if (difference == 0) continue;
    sizes.push_back(std::abs(difference));
    positive.push_back(difference > 0);
  }
  if (sizes.empty()) return 1;
  double ties = 0, sum = 0;
  auto ranks = Ranks(sizes, ties);
  for (size_t at = 0; at < ranks.size(); ++at) sum += positive[at] ? ranks[at] : 0;
  auto n = static_cast<double>(sizes.size());
  constexpr size_t kMostExact = 50;
  if (ties <= 0 && sizes.size() <= kMostExact) {
    auto ways = WaysOfSubsets(sizes.size());
    double low = std::min(sum, n * (n + 1) / 2 - sum), tail = 0;
    for (size_t at = 0; static_cast<double>(at) <= low; ++at) tail += ways[at];
    return std::min(1.0, 2 * tail);
  }
  double variance = n * (n + 1) * (2 * n + 1) / 24 - ties / 48;
  double distance = std::max(0.0, std::abs(sum - n * (n + 1) / 4) - 0.5);
  return TwoSidedNormal(distance / std::sqrt(variance));
}

std::vector<double> Holm(std::span<const double> p) {
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a] < p[b]; });
  std::vector<double> corrected(p.size());
  double least = 0;
  for (size_t at = 0; at < order.size(); ++at) {
    least = std::max(least, p[order[at]] * static_cast<double>(order.size() - at));
    corrected[order[at]] = std::min(1.0, least);
  }
  return corrected;
}

}  // namespace kiste::bench
