// SPDX-License-Identifier: Apache-2.0
//
// The figures of a divided trace.
#pragma once

#include <string>

#include "bench/kernel/division.h"
#include "bench/record/outcome.h"

namespace kiste::bench {

void AddReach(const Trace& trace, const Division& division, const Symbols& symbols,
              Outcome& outcome);

// The lines of source of these functions, where there are debug symbols of this kernel.
void AddReachedLines(const Division& division, const Symbols& symbols, Outcome& outcome);

}  // namespace kiste::bench
