// SPDX-License-Identifier: Apache-2.0
#include "sys/pidfd.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/strings.h"
#include "sys/readable.h"

namespace kiste::sys {

namespace {

constexpr std::chrono::milliseconds kWithheld{5'000};  // how long a tracer may keep an exit
constexpr timespec kBetweenLooks{.tv_sec = 0, .tv_nsec = 10'000'000};

int ExitCode(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Its status, or nothing with WNOHANG where there is none yet.
Result<std::optional<int>> WaitStatus(pid_t pid, int options) {
  int status = 0;
  pid_t reaped = -1;
  do {
    reaped = waitpid(pid, &status, options);
  } while (reaped < 0 && errno == EINTR);
  if (reaped < 0) return ErrnoError(StrCat("waitpid ", pid));
  if (reaped == 0) return std::nullopt;
  return status;
}

}  // namespace

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

Result<int> ReapStatus(pid_t pid) {
  for (auto deadline = Deadline::In(kWithheld);; nanosleep(&kBetweenLooks, nullptr)) {
    if (auto status = TRY(WaitStatus(pid, WNOHANG))) return *status;
    if (deadline.Over()) {
      return Fail(ErrorKind::kTimeout,
                  StrCat("waitpid ", pid,
                         ": the process has ended, but its exit code is withheld (traced?)"));
    }
  }
}

Result<int> Reap(pid_t pid) { return ExitCode(TRY(ReapStatus(pid))); }

Result<int> WaitChild(pid_t pid) { return ExitCode(*TRY(WaitStatus(pid, 0))); }

Result<std::optional<int>> TryWaitChild(pid_t pid) {
  auto status = TRY(WaitStatus(pid, WNOHANG));
  if (!status) return std::nullopt;
  return ExitCode(*status);
}

bool KillChild(int pidfd, pid_t pid, int timeout_ms) {
  static_cast<void>(PidfdSendSignal(pidfd, SIGKILL));
  auto ended = PidfdWaitExit(pidfd, timeout_ms);
  if (ended && !*ended) return false;
  return TryWaitChild(pid).value_or(std::nullopt).has_value();
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
