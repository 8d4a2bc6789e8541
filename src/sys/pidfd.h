// SPDX-License-Identifier: Apache-2.0
//
// Processes by descriptor (pidfd_open(2), pidfd_send_signal(2)): a pid can be given to another
// process, a pidfd cannot.
#pragma once

#include <sys/types.h>

#include <optional>

#include "base/fd.h"
#include "base/result.h"

namespace kiste::sys {

Result<Fd> PidfdOpen(pid_t pid);
// ESRCH when the process is gone.
Status PidfdSendSignal(int pidfd, int signal);
// Waits until the process has ended; false after `timeout_ms` (negative: waits for ever).
Result<bool> PidfdWaitExit(int pidfd, int timeout_ms);
// Whether it is a child of this process that has not been reaped.
Result<bool> IsChild(int pidfd);
// Reaps a child that has ended, as its pidfd says; its status as wait(2) has it (WIFSIGNALED …).
// Whoever traces it (ptrace(2)) is told of the end first, and keeps it from us until he has waited
// for it: kTimeout after 5 s. The child is left to whoever adopts it then.
Result<int> ReapStatus(pid_t pid);
// The same; its exit code, or 128 + the signal that killed it.
Result<int> Reap(pid_t pid);
// The same for a child that may still run, for which it waits without a limit.
Result<int> WaitChild(pid_t pid);
// The same without waiting; nothing while it runs, or while its exit is withheld.
Result<std::optional<int>> TryWaitChild(pid_t pid);
// Ends a child with SIGKILL and reaps it; false when that took longer than `timeout_ms` (a process
// that is frozen, or waits for a device), or its exit is withheld: it is left to whoever adopts it.
bool KillChild(int pidfd, pid_t pid, int timeout_ms);
// Reaps the children that have ended, for who adopts orphans (PR_SET_CHILD_SUBREAPER); not `kept`,
// whose exit code is asked for elsewhere: once that one has ended, no others behind it either.
void ReapOthers(pid_t kept);

}  // namespace kiste::sys
