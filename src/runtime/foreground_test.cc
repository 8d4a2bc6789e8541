// SPDX-License-Identifier: Apache-2.0
#include "runtime/foreground.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>

#include "sys/file.h"
#include "sys/pidfd.h"

namespace kiste::runtime {

namespace {

// Runs `deed` in a child of its own: signals are blocked and standard streams replaced in there.
int InChild(const std::function<int()>& deed) {
  pid_t pid = fork();
  if (pid == 0) {
    alarm(20);
    _exit(deed());
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

// A process that runs `deed`, with no signal blocked.
isolation::Launched Start(const std::function<int()>& deed) {
  pid_t pid = fork();
  if (pid == 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    alarm(20);
    _exit(deed());
  }
  return {pid, sys::PidfdOpen(pid).value_or(Fd())};
}

}  // namespace

TEST(Foreground, ExitCodesAndSignals) {
  EXPECT_EQ(InChild([] {
              auto guard = SignalGuard::Block();
              auto process = Start([] { return 42; });
              return WaitForeground(process, *guard, Fd()).value_or(-1);
            }),
            42);
  EXPECT_EQ(InChild([] {
              auto guard = SignalGuard::Block();
              auto process = Start([] { return raise(SIGKILL); });
              return WaitForeground(process, *guard, Fd()).value_or(-1);
            }),
            128 + SIGKILL);
}

TEST(Foreground, SignalsArePassedOnEvenThoseBeforeTheWait) {
  EXPECT_EQ(InChild([] {
              auto guard = SignalGuard::Block();
              raise(SIGTERM);
              auto process = Start([] {
                while (true) pause();
                return 0;
              });
              return WaitForeground(process, *guard, Fd()).value_or(-1);
            }),
            128 + SIGTERM);
}

TEST(Foreground, OtherChildrenAreReaped) {
  EXPECT_EQ(InChild([] {
              auto guard = SignalGuard::Block();
              auto process = Start([] {
                while (true) pause();
                return 0;
              });
              auto orphan = Start([] { return 7; });
              auto helper = Start([&] {
                // Gone, and not only dead: no signal can be sent to it.
                for (int i = 0; i < 1000 && kill(orphan.pid, 0) == 0; ++i) usleep(10'000);
                return kill(process.pid, kill(orphan.pid, 0) == 0 ? SIGKILL : SIGTERM);
              });
              return WaitForeground(process, *guard, Fd()).value_or(-1);
            }),
            128 + SIGTERM);
}

TEST(Foreground, FaultsOfOurOwnStopUs) {
  EXPECT_EQ(InChild([] {
              signal(SIGABRT, SIG_DFL);
              auto guard = SignalGuard::Block();
              raise(SIGABRT);
              return 0;
            }),
            1000 + SIGABRT);
}

TEST(Foreground, TerminalIsRelayedBothWaysAndDrained) {
  EXPECT_EQ(InChild([] {
              Fd master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
              if (!master || unlockpt(master.get()) < 0) return 77;
              Fd slave(ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
              int in[2], out[2];
              if (!slave || pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0) return 77;
              dup2(in[0], 0);
              dup2(out[1], 1);
              if (write(in[1], "ping\n", 5) != 5) return 77;
              close(in[1]);
              auto guard = SignalGuard::Block();
              int terminal = slave.get();
              auto process = Start([terminal] {
                char line[16] = {};
                ssize_t size = read(terminal, line, sizeof line);
                std::string said = "got " + std::string(line, static_cast<size_t>(size));
                said += std::string(3000, 'x');  // still on its way when the process ends
                return write(terminal, said.data(), said.size()) < 0 ? 1 : 5;
              });
              slave.Reset();
              auto code = WaitForeground(process, *guard, std::move(master));
              if (!code || *code != 5) return 1;
              close(1);
              close(out[1]);
              std::string seen = sys::ReadAll(out[0], "pipe", 1 << 20).value_or("");
              if (seen.find("got ping") == std::string::npos) return 2;
              if (!seen.ends_with(std::string(3000, 'x'))) return 3;
              return 0;
            }),
            0);
}

}  // namespace kiste::runtime
