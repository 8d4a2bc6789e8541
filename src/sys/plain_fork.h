// SPDX-License-Identifier: Apache-2.0
//
// fork(2) as _Fork(3) does it, without handlers, and memory that is shared across it (mmap(2),
// MAP_SHARED | MAP_ANONYMOUS): for a child that goes on in the same program.
#pragma once

#include <sys/types.h>

#include <cstddef>

#include "base/result.h"

namespace kiste::sys {

// 0 in the child, which calls only what signal-safety(7) lists.
Result<pid_t> Fork();
// Zeroed.
Result<void*> MapShared(size_t size);
void Unmap(void* address, size_t size);

}  // namespace kiste::sys
