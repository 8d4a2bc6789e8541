// SPDX-License-Identifier: Apache-2.0
//
// Capabilities of this process (capabilities(7)). Bit n stands for capability n.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace kiste::sys {

// What this process can hand on: its permitted set within its bounding set.
Result<uint64_t> GrantableCapabilities();

}  // namespace kiste::sys
