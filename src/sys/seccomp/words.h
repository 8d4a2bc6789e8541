// SPDX-License-Identifier: Apache-2.0
//
// The words of seccomp profiles (config-linux.md "Seccomp", seccomp_init(3)) and libseccomp's and
// the kernel's numbers behind them. Used inside this folder. Errors are kInvalid or kUnsupported
// and show the value; the caller puts the field's name in front.
#pragma once

#include <seccomp.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace kiste::sys {

// SCMP_ACT_* as SECCOMP_RET_* with its data. `errno_ret` is refused for an action without one.
Result<uint32_t> ActionValue(std::string_view word, std::optional<uint32_t> errno_ret);
// Whether an unknown system call is let through by `action`, so that it answers for itself.
bool IsPermissive(uint32_t action);
Result<scmp_compare> OperatorValue(std::string_view word);
// SCMP_ARCH_* as libseccomp's token.
Result<uint32_t> ArchitectureToken(std::string_view word);
// SECCOMP_FILTER_FLAG_* as the bit of seccomp(2).
Result<uint32_t> FlagBit(std::string_view word);

}  // namespace kiste::sys
