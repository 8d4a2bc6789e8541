// SPDX-License-Identifier: Apache-2.0
//
// In which order the trials of a round are: drawn anew for each round, so that what drifts with the
// machine meets every target alike; and the same again for the same seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kiste::bench {

struct Place {
  size_t target = 0, workload = 0;
};

// What all that is drawn in a round comes from.
uint64_t RoundSeed(uint64_t seed, int round);

// Every pair once. Workloads come as blocks in the order drawn; within a block the targets do: what
// is compared is measured close together.
std::vector<Place> DrawOrder(size_t targets, size_t workloads, uint64_t seed, int round);

}  // namespace kiste::bench
