// SPDX-License-Identifier: Apache-2.0
//
// The capabilities of capabilities(7) by name and number (linux/capability.h). Which of them this
// host's kernel has is another question (/proc/sys/kernel/cap_last_cap).
#pragma once

#include <optional>
#include <string_view>

namespace kiste::oci {

constexpr int kCapabilityCount = 41;  // CAP_CHECKPOINT_RESTORE, of Linux 5.9, is the last one

// The number of "CAP_CHOWN"; nothing for a name that is not known. Upper case, as in the
// specification.
std::optional<int> CapabilityNumber(std::string_view name);
// "CAP_CHOWN" of 0; "" for a number that has no name.
std::string_view CapabilityName(int number);

}  // namespace kiste::oci
