// SPDX-License-Identifier: Apache-2.0
//
// Files in memory (memfd_create(2)).
#pragma once

#include <span>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace kiste::sys {

// A memory file holding `bytes` that nobody can change any more (F_SEAL_*), executable by
// descriptor. Where the host forbids executable memory files (vm.memfd_noexec=2) this fails with
// EACCES.
Result<Fd> SealedExecutable(const char* name, std::span<const std::byte> bytes);
// A memory file with `bytes`, readable from its start.
Result<Fd> MemoryFile(const char* name, std::string_view bytes);

}  // namespace kiste::sys
