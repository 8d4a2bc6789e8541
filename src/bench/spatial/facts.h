// SPDX-License-Identifier: Apache-2.0
//
// What the host is: not planted, but compared with what a sandbox shows.
#pragma once

#include <vector>

#include "bench/spatial/seed.h"

namespace kiste::bench {

// Appends what can be found out; what cannot is left out, and its probes answer "unknown".
void TellFacts(std::vector<Marker>& markers);

// The processor's own name for itself, with the spaces it has; empty where there is none.
std::string ProcessorName();

}  // namespace kiste::bench
