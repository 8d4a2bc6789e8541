// SPDX-License-Identifier: Apache-2.0
//
// Numbers with units on command lines, as runc takes them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace kiste::cli {

// Bytes: "4096", "64m", "1.5 GiB", "512kb"; k, m, g, t and p are powers of 1024, in either case,
// with "b" or "ib" behind them or not (docker/go-units, RAMInBytes). "-1" is itself: no limit.
// kInvalid names `option`.
Result<int64_t> ParseBytes(std::string_view option, std::string_view text);

// A time as Go writes them: "5s", "100ms", "1m30s", "1.5h". kInvalid unless it is above 0.
Result<std::chrono::nanoseconds> ParseInterval(std::string_view option, std::string_view text);

}  // namespace kiste::cli
