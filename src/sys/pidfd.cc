// SPDX-License-Identifier: Apache-2.0
#include "sys/pidfd.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/strings.h"
#include "sys/readable.h"

namespace kiste::sys {

Result<Fd> PidfdOpen(pid_t pid) {
  long fd = syscall(SYS_pidfd_open, pid, 0);
  if (fd < 0) return ErrnoError(StrCat("pidfd_open ", pid));
  return Fd(static_cast<int>(fd));
}

Status PidfdSendSignal(int pidfd, int signal) {
  if (syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) < 0) {
    return ErrnoError(StrCat("pidfd_send_signal ", signal));
  }
  return {};
}

Result<bool> PidfdWaitExit(int pidfd, int timeout_ms) {
  auto deadline =
      timeout_ms < 0 ? Deadline::Never() : Deadline::In(std::chrono::milliseconds(timeout_ms));
  return WaitReadable(pidfd, deadline);
}

Result<bool> IsChild(int pidfd) {
  siginfo_t info;
  if (waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG | WNOWAIT) == 0)
    return true;
  if (errno == ECHILD) return false;
  return ErrnoError("waitid a pidfd");
}

namespace {

int ExitCode(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

Result<int> WaitChildStatus(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return ErrnoError(StrCat("waitpid ", pid));
  }
  return status;
}

Result<int> WaitChild(pid_t pid) { return ExitCode(TRY(WaitChildStatus(pid))); }

bool KillChild(int pidfd, pid_t pid, int timeout_ms) {
  static_cast<void>(PidfdSendSignal(pidfd, SIGKILL));
  auto ended = PidfdWaitExit(pidfd, timeout_ms);
  if (ended && !*ended) return false;
  return TryWaitChild(pid).value_or(std::nullopt).has_value();
}

Result<std::optional<int>> TryWaitChild(pid_t pid) {
  int status = 0;
  pid_t reaped = -1;
  do {
    reaped = waitpid(pid, &status, WNOHANG);
  } while (reaped < 0 && errno == EINTR);
  if (reaped < 0) return ErrnoError(StrCat("waitpid ", pid));
  if (reaped == 0) return std::nullopt;
  return ExitCode(status);
}

void ReapOthers(pid_t kept) {
  while (true) {
    siginfo_t ended{};
    if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) < 0) return;
    if (ended.si_pid == 0 || ended.si_pid == kept) return;
    waitpid(ended.si_pid, nullptr, WNOHANG);
  }
}

}  // namespace kiste::sys
