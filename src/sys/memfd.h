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
// descriptor. Where the host forbids executable memory files (vm.memfd_noexec=2) it is a nameless
// file instead, open for reading only: on a read-only tmpfs that is mounted nowhere if this process
// may mount, else in the directory `scratch` (-1: none). Such a file is for one process: who could
// open it for writing would change what nobody executes again.
Result<Fd> SealedExecutable(const char* name, std::span<const std::byte> bytes, int scratch = -1);
// A memory file with `bytes`, readable from its start.
Result<Fd> MemoryFile(const char* name, std::string_view bytes);

}  // namespace kiste::sys
