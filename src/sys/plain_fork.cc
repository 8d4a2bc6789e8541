// SPDX-License-Identifier: Apache-2.0
#include "sys/plain_fork.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace kiste::sys {

Result<pid_t> Fork() {
  pid_t pid = _Fork();
  if (pid < 0) return ErrnoError("fork");
  return pid;
}

Result<void*> MapShared(size_t size) {
  void* address = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (reinterpret_cast<intptr_t>(address) == -1) return ErrnoError("mmap");
  return address;
}

void Unmap(void* address, size_t size) { munmap(address, size); }

}  // namespace kiste::sys
