// SPDX-License-Identifier: Apache-2.0
//
// What a program inside wrote, as an outcome.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "bench/description/workload.h"
#include "bench/record/outcome.h"

namespace kiste::bench {

// What `load` wrote (docs/bench.md). kInvalid names a line that is none of its own, and a missing
// last line.
Result<Outcome> ReadLoadOutput(std::string_view text);
// What another program wrote, by patterns. Each must be found; kInvalid names the one that is not.
Result<Outcome> ReadByPatterns(std::string_view text, const std::vector<OutputPattern>& patterns);

// The median of each metric's samples without x, in the order of their first.
std::vector<Sample> Medians(const std::vector<Sample>& samples);

}  // namespace kiste::bench
