// SPDX-License-Identifier: Apache-2.0
// Starts one command, waits for it and says how long that took. posix_spawn (vfork inside, so that
// the size of this program does not count), pidfd, CLOCK_MONOTONIC. stdin and stdout are /dev/null;
// stderr is kept in memory for the message of a failure.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "result.h"

namespace kiste::perf {

using Argv = std::vector<std::string>;

// A descriptor that is closed when it goes. close-on-exec is the opener's duty.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();
  int Get() const { return fd_; }

 private:
  int fd_ = -1;
};

// Runs commands one after another; each thread has its own.
class CommandRunner {
 public:
  static Result<CommandRunner> Make();

  // Milliseconds from before the spawn until after the wait. Anything but exit code 0 is an error
  // that carries what the command wrote to stderr; so are a time-out and an interruption.
  Result<double> Run(const Argv& argv);
  // Its standard output, for --version.
  Result<std::string> Output(const Argv& argv);

 private:
  Result<double> RunTo(const Argv& argv, int stdout_fd);
  Fd null_;
  Fd errors_;  // memfd
};

// Waits until a process that need not be our child is gone, and reaps it if it is.
Result<void> WaitUntilGone(pid_t pid, std::chrono::milliseconds patience);

// SIGINT, SIGTERM and SIGHUP set a flag that every wait here looks at; 0 when none has come.
void CatchInterruptions();
int InterruptedBy();
void BlockInterruptions(bool blocked);

std::string Joined(const Argv& argv);
Result<std::string> ReadFile(const std::string& path);
Result<void> WriteFile(const std::string& path, const std::string& text);

}  // namespace kiste::perf
