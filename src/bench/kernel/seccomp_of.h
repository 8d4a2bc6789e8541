// SPDX-License-Identifier: Apache-2.0
//
// How many system calls the seccomp filters of a process let through, asked of the filters
// themselves (ptrace(2), PTRACE_SECCOMP_GET_FILTER).
#pragma once

#include <sys/types.h>

#include "base/result.h"

namespace kiste::bench {

struct AllowedCalls {
  int whole = 0;   // whatever their arguments
  int partly = 0;  // it depends on these
  int known = 0;   // all that there are, as libseccomp knows them
  int filters = 0;
};

// Stops the process for a moment.
Result<AllowedCalls> ReadAllowedCalls(pid_t pid);

}  // namespace kiste::bench
