// SPDX-License-Identifier: Apache-2.0
//
// clone3(2) for a child that does nothing but exec. Like vfork(2), the child borrows the parent's
// memory, on a stack of its own, until the exec: no page table is copied and no page faulted in
// again, which is most of what starting a process costs.
//
// Whoever shares memory with a process that the kernel kills for want of memory in its cgroup is
// killed with it: the parent, too. The kernel passes over who is between vfork(2) and exec (its
// exec fails with ENOMEM instead), but there the parent would wait without a limit. So where the
// cgroup may have too little memory, a helper that has nothing else to do is the one who waits.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>

#include "base/deadline.h"
#include "base/fd.h"
#include "base/result.h"

namespace kiste::sys {

struct SpawnRequest {
  int executable = -1;          // executed by descriptor (execveat(2), AT_EMPTY_PATH)
  char* const* argv = nullptr;  // NULL-terminated
  char* const* envp = nullptr;
  uint64_t namespaces =
      0;  // CLONE_NEW* (not CLONE_NEWUSER, CLONE_NEWTIME: they need steps before the exec)
  int cgroup = -1;               // v2 cgroup directory to start in, -1 the caller's
  bool limited_memory = false;   // that cgroup may have too little memory even for the exec
  std::span<const int> inherit;  // descriptors that survive the exec
};

struct Spawned {
  pid_t pid = -1;
  Fd pidfd;
};

// Starts the child with no signal blocked and no handler (ignored signals stay ignored), and waits
// until it executes its program. Fails with what clone3 or execveat answered; with kTimeout when
// the child came to nothing until the deadline (a frozen cgroup): it is killed then.
Result<Spawned> Spawn(const SpawnRequest& request, Deadline deadline = Deadline::In(kPatience));

}  // namespace kiste::sys
