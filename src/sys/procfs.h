// SPDX-License-Identifier: Apache-2.0
//
// The host's /proc (proc(5)).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace kiste::sys {

// An O_PATH descriptor of /proc, checked to be procfs.
Result<Fd> OpenProc();

struct ProcessStat {
  char state = '?';         // R, S, D, Z, X …
  uint64_t start_time = 0;  // clock ticks since boot: with the pid, names a process for good
};
// ESRCH or ENOENT when there is no such process.
Result<ProcessStat> StatProcess(pid_t pid);
// The pure part: from the text of /proc/<pid>/stat; `path` is for errors.
Result<ProcessStat> ParseProcessStat(std::string_view text, const std::string& path);
// The signals that this process ignores (SigIgn in proc_pid_status(5)), signal n as bit n-1. All of
// them when that cannot be read.
uint64_t IgnoredSignals();
// Real uid of a process, for `list`.
Result<uid_t> OwnerOfProcess(pid_t pid);

}  // namespace kiste::sys
