// SPDX-License-Identifier: Apache-2.0
#include "sys/plain_fork.h"

#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>

namespace kiste::sys {

Result<pid_t> Fork() {
  pid_t pid = _Fork();
  if (pid < 0) return ErrnoError("fork");
  return pid;
}

Result<pid_t> ForkInto(uint64_t namespaces) {
  clone_args arguments = {.flags = namespaces, .exit_signal = SIGCHLD};
  auto pid = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof arguments));
  if (pid < 0) return ErrnoError("clone3");
  return pid;
}

Result<void*> MapShared(size_t size) {
  void* address = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (reinterpret_cast<intptr_t>(address) == -1) return ErrnoError("mmap");
  return address;
}

void Unmap(void* address, size_t size) { munmap(address, size); }

}  // namespace kiste::sys
