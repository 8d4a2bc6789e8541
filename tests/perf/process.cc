// SPDX-License-Identifier: Apache-2.0
#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <sstream>

namespace kiste::perf {
namespace {

using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC in libstdc++
using std::chrono::milliseconds;

constexpr milliseconds kCommandPatience{60'000};
constexpr milliseconds kInterruptedPatience{3'000};
constexpr int kInterruptions[] = {SIGINT, SIGTERM, SIGHUP};
constexpr milliseconds kGlance{200};  // how often a wait looks at the flag

std::atomic<int> interrupted_by = 0;

// True when the process has ended within the time.
bool PollPidfd(int pidfd, milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  for (;;) {
    pollfd entry{pidfd, POLLIN, 0};
    if (poll(&entry, 1, static_cast<int>(kGlance.count())) > 0) return true;
    if (Clock::now() >= deadline || InterruptedBy()) return false;
  }
}

std::string HowItEnded(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return "exit code " + std::to_string(info.si_status);
  return "signal " + std::to_string(info.si_status);
}

std::string Contents(int fd) {
  std::string text(4096, '\0');
  const ssize_t got = pread(fd, text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

Result<pid_t> Spawn(const Argv& argv, int in, int out, int errors) {
  static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  static char* const kEnvironment[] = {path, nullptr};
  std::vector<char*> pointers;
  for (const std::string& word : argv) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // A process group of its own: the terminal's ^C is for us, who then stop it in order.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t pid = -1;
  const int error =
      posix_spawn(&pid, pointers[0], &actions, &attributes, pointers.data(), kEnvironment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return pid;
  errno = error;
  return FailErrno("start " + argv[0]);
}

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) close(fd_);
}

Result<CommandRunner> CommandRunner::Make() {
  CommandRunner runner;
  runner.null_ = Fd(open("/dev/null", O_RDWR | O_CLOEXEC));
  runner.errors_ = Fd(memfd_create("stderr", MFD_CLOEXEC));
  if (runner.null_.Get() < 0 || runner.errors_.Get() < 0)
    return FailErrno("open /dev/null or a memfd");
  return runner;
}

Result<double> CommandRunner::Run(const Argv& argv) { return RunTo(argv, null_.Get()); }

Result<std::string> CommandRunner::Output(const Argv& argv) {
  const Fd out(memfd_create("stdout", MFD_CLOEXEC));
  TRY(RunTo(argv, out.Get()));
  return Contents(out.Get());
}

Result<double> CommandRunner::RunTo(const Argv& argv, int stdout_fd) {
  if (InterruptedBy()) return Fail("interrupted");
  if (ftruncate(errors_.Get(), 0) != 0 || lseek(errors_.Get(), 0, SEEK_SET) != 0)
    return FailErrno("memfd");

  const auto begin = Clock::now();
  const pid_t pid = TRY(Spawn(argv, null_.Get(), stdout_fd, errors_.Get()));
  const Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  bool ended = PollPidfd(pidfd.Get(), kCommandPatience);
  if (!ended) {
    const bool grace = InterruptedBy() != 0;
    pollfd entry{pidfd.Get(), POLLIN, 0};
    if (grace) ended = poll(&entry, 1, static_cast<int>(kInterruptedPatience.count())) > 0;
    if (!ended) kill(pid, SIGKILL);
  }
  siginfo_t info{};
  while (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED) < 0 && errno == EINTR) {
  }
  const std::chrono::duration<double, std::milli> elapsed = Clock::now() - begin;

  if (InterruptedBy()) return Fail("interrupted");
  if (!ended)
    return Fail(Joined(argv) + ": no end within a minute, killed: " + Contents(errors_.Get()));
  if (info.si_code != CLD_EXITED || info.si_status != 0) {
    const std::string said = Contents(errors_.Get());
    return Fail(Joined(argv) + ": " + HowItEnded(info) +
                (said.empty() ? ", said nothing" : ": " + said));
  }
  return elapsed.count();
}

Result<void> WaitUntilGone(pid_t pid, milliseconds patience) {
  const Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (pidfd.Get() >= 0 && !PollPidfd(pidfd.Get(), patience)) {
    return Fail("process " + std::to_string(pid) + " does not end");
  }
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG);  // ECHILD: somebody else's
  return {};
}

void CatchInterruptions() {
  struct sigaction action = {};
  action.sa_handler = [](int signal) { interrupted_by = signal; };
  for (const int signal : kInterruptions) sigaction(signal, &action, nullptr);
}

void BlockInterruptions(bool blocked) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : kInterruptions) sigaddset(&set, signal);
  sigprocmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &set, nullptr);
}

int InterruptedBy() { return interrupted_by; }

std::string Joined(const Argv& argv) {
  std::string out;
  for (const std::string& word : argv) out += (out.empty() ? "" : " ") + word;
  return out;
}

Result<std::string> ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in) return FailErrno("read " + path);
  return text.str();
}

Result<void> WriteFile(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) return FailErrno("write " + path);
  return {};
}

}  // namespace kiste::perf
