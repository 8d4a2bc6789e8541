// SPDX-License-Identifier: Apache-2.0
#include "sys/procfs.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace kiste::sys {

namespace {

// A child called `name` that waits for a signal.
pid_t NamedChild(const char* name) {
  int ready[2];
  if (pipe(ready) < 0) return -1;
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_NAME, name);
    if (write(ready[1], "x", 1) != 1) _exit(1);
    alarm(20);
    while (true) pause();
  }
  char byte;
  EXPECT_EQ(read(ready[0], &byte, 1), 1);
  close(ready[0]);
  close(ready[1]);
  return pid;
}

}  // namespace

TEST(Procfs, OpensTheRealProc) {
  Fd proc = OpenProc().value();
  EXPECT_EQ(fcntl(proc.get(), F_GETFL) & O_PATH, O_PATH);
  EXPECT_EQ(faccessat(proc.get(), "self/stat", F_OK, 0), 0);
}

TEST(Procfs, RefusesAnotherFileSystem) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to put a tmpfs over /proc in a namespace";
  pid_t pid = fork();
  if (pid == 0) {
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0 ||
        mount("tmpfs", "/proc", "tmpfs", 0, nullptr) < 0) {
      _exit(77);
    }
    auto proc = OpenProc();
    _exit(!proc && proc.error().kind == ErrorKind::kUnsupported ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "cannot mount in a namespace of its own here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Procfs, StartTimeNamesAProcessForGood) {
  auto own = StatProcess(getpid()).value();
  EXPECT_EQ(own.state, 'R');
  EXPECT_GT(own.start_time, 0u);
  EXPECT_EQ(StatProcess(getpid()).value().start_time, own.start_time);
}

TEST(Procfs, CommandMayHoldAnything) {
  pid_t pid = NamedChild("a) Z 1 (b) X");
  auto stat = StatProcess(pid);
  ASSERT_TRUE(stat);
  EXPECT_TRUE(stat->state == 'S' || stat->state == 'R') << stat->state;
  EXPECT_GE(stat->start_time, StatProcess(getpid()).value().start_time);
  kill(pid, SIGKILL);
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
  EXPECT_EQ(StatProcess(pid).value().state, 'Z');
  EXPECT_EQ(StatProcess(pid).value().start_time, stat->start_time);
  waitpid(pid, nullptr, 0);
  auto gone = StatProcess(pid);
  ASSERT_FALSE(gone);
  EXPECT_TRUE(gone.error().errno_value == ENOENT || gone.error().errno_value == ESRCH);
}

TEST(Procfs, OwnerIsTheEffectiveUser) {
  EXPECT_EQ(OwnerOfProcess(getpid()).value(), geteuid());
  EXPECT_FALSE(OwnerOfProcess(2147483646));
}

TEST(Procfs, IgnoredSignalsAreTheOnesThatAreIgnored) {
  auto bit = [](int signal) { return uint64_t{1} << (signal - 1); };
  auto before = std::signal(SIGUSR1, SIG_IGN);
  EXPECT_NE(IgnoredSignals() & bit(SIGUSR1), 0u);
  std::signal(SIGUSR1, SIG_DFL);
  EXPECT_EQ(IgnoredSignals() & bit(SIGUSR1), 0u);
  EXPECT_EQ(IgnoredSignals() & bit(SIGKILL), 0u);
  std::signal(SIGUSR1, before);
}

}  // namespace kiste::sys
