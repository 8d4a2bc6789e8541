// SPDX-License-Identifier: Apache-2.0
#include "bench/run/order.h"

#include <numeric>
#include <utility>

namespace kiste::bench {

namespace {

// splitmix64 (Steele, Lea, Flood 2014): not std::shuffle, whose result depends on the library.
class Generator {
 public:
  explicit Generator(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

 private:
  uint64_t state_;
};

std::vector<size_t> Permutation(size_t count, Generator& generator) {
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t left = count; left > 1; --left)
    std::swap(order[left - 1], order[generator.Next() % left]);
  return order;
}

}  // namespace

std::vector<Place> DrawOrder(size_t targets, size_t workloads, uint64_t seed, int round) {
  Generator generator(seed ^ (static_cast<uint64_t>(round) << 32));
  std::vector<Place> order;
  for (size_t workload : Permutation(workloads, generator)) {
    for (size_t target : Permutation(targets, generator)) order.push_back({target, workload});
  }
  return order;
}

}  // namespace kiste::bench
