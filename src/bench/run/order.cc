// SPDX-License-Identifier: Apache-2.0
#include "bench/run/order.h"

#include <numeric>
#include <utility>

#include "bench/statistics/statistics.h"

namespace kiste::bench {

namespace {

// Not std::shuffle, whose result depends on the library.
std::vector<size_t> Permutation(size_t count, Random& random) {
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t left = count; left > 1; --left) std::swap(order[left - 1], order[random.Below(left)]);
  return order;
}

}  // namespace

std::vector<Place> DrawOrder(size_t targets, size_t workloads, uint64_t seed, int round) {
  Random random(seed ^ (static_cast<uint64_t>(round) << 32));
  std::vector<Place> order;
  for (size_t workload : Permutation(workloads, random)) {
    for (size_t target : Permutation(targets, random)) order.push_back({target, workload});
  }
  return order;
}

}  // namespace kiste::bench
