// SPDX-License-Identifier: Apache-2.0
//
// fork(2) as _Fork(3) does it, without handlers, and memory that is shared across it (mmap(2),
// MAP_SHARED | MAP_ANONYMOUS): for a child that goes on in the same program.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "base/result.h"

namespace kiste::sys {

// 0 in the child, which calls only what signal-safety(7) lists.
Result<pid_t> Fork();
// The same into new namespaces (CLONE_NEW*).
Result<pid_t> ForkInto(uint64_t namespaces);
// Zeroed.
Result<void*> MapShared(size_t size);
void Unmap(void* address, size_t size);

}  // namespace kiste::sys
