// SPDX-License-Identifier: Apache-2.0
#include "sys/pidfd.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

namespace kiste::sys {

namespace {

// A child that exits with `code` at once.
pid_t ExitingChild(int code) {
  pid_t pid = fork();
  if (pid == 0) _exit(code);
  return pid;
}

// A child that waits for a signal.
pid_t WaitingChild() {
  pid_t pid = fork();
  if (pid == 0) {
    alarm(20);
    while (true) pause();
  }
  return pid;
}

// Until it ends it withholds the exit of the process that it traces.
pid_t Tracer(pid_t traced, useconds_t microseconds) {
  int ends[2];
  if (pipe(ends) < 0) abort();
  pid_t pid = fork();
  if (pid == 0) {
    char error = ptrace(PTRACE_SEIZE, traced, 0, 0) == 0 ? '0' : '1';
    if (write(ends[1], &error, 1) == 1) usleep(microseconds);
    _exit(0);
  }
  char error = '1';
  static_cast<void>(!read(ends[0], &error, 1));
  close(ends[0]);
  close(ends[1]);
  return error == '0' ? pid : -1;
}

}  // namespace

TEST(Pidfd, KnowsItsChildren) {
  pid_t pid = WaitingChild();
  Fd child = PidfdOpen(pid).value();
  EXPECT_TRUE(IsChild(child.get()).value());
  EXPECT_FALSE(IsChild(PidfdOpen(getppid()).value().get()).value());
  ASSERT_TRUE(PidfdSendSignal(child.get(), SIGKILL));
  ASSERT_TRUE(PidfdWaitExit(child.get(), 5000).value());
  EXPECT_TRUE(IsChild(child.get()).value());  // not reaped yet
  ASSERT_TRUE(WaitChild(pid));
  EXPECT_FALSE(IsChild(child.get()).value());
}

TEST(Pidfd, WaitsForTheEndAndReaps) {
  pid_t pid = WaitingChild();
  Fd pidfd = PidfdOpen(pid).value();
  auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(PidfdWaitExit(pidfd.get(), 30).value());
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(25));
  EXPECT_EQ(TryWaitChild(pid).value(), std::nullopt);
  ASSERT_TRUE(PidfdSendSignal(pidfd.get(), SIGTERM));
  EXPECT_TRUE(PidfdWaitExit(pidfd.get(), -1).value());
  EXPECT_EQ(WaitChild(pid).value(), 128 + SIGTERM);
}

TEST(Pidfd, ExitCodesComeThrough) {
  for (int code : {0, 1, 42, 255}) EXPECT_EQ(WaitChild(ExitingChild(code)).value(), code);
  pid_t pid = ExitingChild(3);
  Fd pidfd = PidfdOpen(pid).value();
  ASSERT_TRUE(PidfdWaitExit(pidfd.get(), -1).value());
  EXPECT_EQ(TryWaitChild(pid).value(), 3);
}

TEST(Pidfd, SignalToAReapedProcessIsEsrch) {
  pid_t pid = ExitingChild(0);
  Fd pidfd = PidfdOpen(pid).value();
  ASSERT_TRUE(WaitChild(pid));
  auto sent = PidfdSendSignal(pidfd.get(), SIGTERM);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().errno_value, ESRCH);
  EXPECT_EQ(PidfdOpen(pid).error().errno_value, ESRCH);
}

TEST(Pidfd, KilledChildrenAreReaped) {
  pid_t pid = WaitingChild();
  Fd pidfd = PidfdOpen(pid).value();
  EXPECT_TRUE(KillChild(pidfd.get(), pid, 5000));
  EXPECT_EQ(TryWaitChild(pid).error().errno_value, ECHILD);
  EXPECT_FALSE(KillChild(pidfd.get(), pid, 0));  // there is none any more
}

TEST(Pidfd, AnExitThatIsWithheldIsWaitedFor) {
  pid_t pid = WaitingChild();
  Fd pidfd = PidfdOpen(pid).value();
  pid_t tracer = Tracer(pid, 200'000);
  if (tracer < 0) {
    EXPECT_TRUE(KillChild(pidfd.get(), pid, 5000));
    GTEST_SKIP() << "a process of this user may not be traced";
  }
  EXPECT_FALSE(KillChild(pidfd.get(), pid, 5000));
  EXPECT_TRUE(PidfdWaitExit(pidfd.get(), 0).value());
  EXPECT_EQ(TryWaitChild(pid).value(), std::nullopt);
  EXPECT_EQ(Reap(pid).value(), 128 + SIGKILL);
  EXPECT_EQ(WaitChild(tracer).value(), 0);
}

TEST(Pidfd, OthersAreReapedAndTheKeptOneIsLeft) {
  pid_t kept = WaitingChild();
  for (int code = 0; code < 5; ++code) {
    pid_t other = ExitingChild(code);
    ASSERT_TRUE(PidfdWaitExit(PidfdOpen(other).value().get(), 5000).value());
    ReapOthers(kept);
    EXPECT_EQ(TryWaitChild(other).error().errno_value, ECHILD);
  }
  EXPECT_EQ(TryWaitChild(kept).value(), std::nullopt);
  Fd pidfd = PidfdOpen(kept).value();
  ASSERT_TRUE(PidfdSendSignal(pidfd.get(), SIGTERM));
  ASSERT_TRUE(PidfdWaitExit(pidfd.get(), 5000).value());
  ReapOthers(kept);
  EXPECT_EQ(WaitChild(kept).value(), 128 + SIGTERM);
  ReapOthers(kept);  // there is none any more
}

TEST(Pidfd, BadNumbersAreErrors) {
  pid_t pid = WaitingChild();
  Fd pidfd = PidfdOpen(pid).value();
  EXPECT_EQ(PidfdSendSignal(pidfd.get(), 4711).error().errno_value, EINVAL);
  ASSERT_TRUE(PidfdSendSignal(pidfd.get(), SIGKILL));
  EXPECT_EQ(WaitChild(pid).value(), 128 + SIGKILL);
  EXPECT_EQ(WaitChild(pid).error().errno_value, ECHILD);
  EXPECT_EQ(TryWaitChild(pid).error().errno_value, ECHILD);
  EXPECT_EQ(PidfdOpen(-1).error().errno_value, EINVAL);
}

}  // namespace kiste::sys
