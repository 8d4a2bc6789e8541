// SPDX-License-Identifier: Apache-2.0
//
// The kernel's keys (keyrings(7)): those of the calling user's keyring.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kiste::sys {

// A key of type "user"; its number. One of the same description is replaced.
Result<int32_t> AddUserKey(const std::string& description, std::string_view payload);
// Whoever has the user's id may do all with it (keyctl_setperm(3)).
Status ShareKeyWithUser(int32_t key);
// The payload; kInvalid when it has more than `limit` bytes.
Result<std::string> ReadKey(int32_t key, size_t limit);
// Takes it out of the user's keyring; the kernel frees it when nobody else has it.
Status UnlinkUserKey(int32_t key);

}  // namespace kiste::sys
