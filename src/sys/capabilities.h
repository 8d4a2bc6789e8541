// SPDX-License-Identifier: Apache-2.0
//
// Capabilities of this process (capabilities(7)). Bit n stands for capability n.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace kiste::sys {

// Which of `wanted` this process can hand on: those in both its permitted and its bounding set.
Result<uint64_t> GrantableCapabilities(uint64_t wanted);

}  // namespace kiste::sys
