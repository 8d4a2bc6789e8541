// SPDX-License-Identifier: Apache-2.0
//
// System V IPC (sysvipc(7)): shared memory, semaphores, message queues. They live until they are
// removed or their ipc namespace ends, whoever made them.
#pragma once

#include <sys/types.h>

#include <cstddef>

#include "base/result.h"

namespace kiste::sys {

// Each makes a new object; EEXIST when the key is taken.
Result<int> MakeSegment(key_t key, size_t size, mode_t mode);
Result<int> MakeSemaphores(key_t key, int count, mode_t mode);
Result<int> MakeMessages(key_t key, mode_t mode);

// Where the segment is mapped in this process.
Result<void*> AttachSegment(int id);
Status DetachSegment(const void* address);
Status SetSemaphore(int id, int index, int value);
Result<int> SemaphoreValue(int id, int index);
// How many messages wait in the queue.
Result<size_t> MessageCount(int id);

Status RemoveSegment(int id);
Status RemoveSemaphores(int id);
Status RemoveMessages(int id);

}  // namespace kiste::sys
