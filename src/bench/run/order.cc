// SPDX-License-Identifier: Apache-2.0
#include "bench/run/order.h"

#include "bench/statistics/statistics.h"

namespace kiste::bench {

uint64_t RoundSeed(uint64_t seed, int round) { return seed ^ (static_cast<uint64_t>(round) << 32); }

std::vector<Place> DrawOrder(size_t targets, size_t workloads, uint64_t seed, int round) {
  Random random(RoundSeed(seed, round));
  std::vector<Place> order;
  for (size_t workload : Permutation(workloads, random)) {
    for (size_t target : Permutation(targets, random)) order.push_back({target, workload});
  }
  return order;
}

}  // namespace kiste::bench
