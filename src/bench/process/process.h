// SPDX-License-Identifier: Apache-2.0
//
// Starting a program and waiting for it with a limit (vfork(2), pidfd_open(2), poll(2)). Each has a
// session of its own: Ctrl-C at the terminal is for kiste-bench, which ends them in order. Standard
// input is /dev/null, standard error is kept for the words of a failure.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/fd.h"
#include "base/result.h"

namespace kiste::bench {

using Clock = std::chrono::steady_clock;
using Nanoseconds = std::chrono::nanoseconds;

struct Start {
  std::vector<std::string> words;                  // words[0] is looked up in PATH
  std::map<std::string, std::string> environment;  // beside our own
  std::vector<int> tasks;   // cgroup files `tasks` or cgroup.procs to join before the exec
  int network = -1;         // a network namespace to enter before the exec
  bool read_output = true;  // false: standard output is /dev/null
  std::string folder;       // working directory; "" is ours
};

struct Ended {
  int code = 0;  // 128 + the signal when one killed it
  Nanoseconds took{};
  std::string errors;  // the last of what it wrote to standard error
};

// A program that runs. Its destructor ends it (SIGKILL) and reaps it.
class Running {
 public:
  // kSystem with what the exec answered.
  static Result<Running> Begin(const Start& start);
  Running(Running&& other) noexcept;
  Running& operator=(Running&& other) noexcept;
  ~Running();

  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }
  Clock::time_point began() const { return began_; }
  // The next line of standard output without its newline; nothing at its end. kTimeout.
  Result<std::optional<std::string>> ReadLine(Deadline deadline);
  // Reads until a line is `word`; kInvalid with what came instead when the output ends before.
  Status WaitForLine(std::string_view word, Deadline deadline);
  // Waits until it has ended, reading and keeping what it writes meanwhile. kTimeout: still runs.
  Result<Ended> Wait(Deadline deadline);
  // The same; an exit code that is not 0 is an error with its words. How long it ran.
  Result<Nanoseconds> WaitForSuccess(Deadline deadline);
  // Whether it has ended (it is reaped by Wait).
  bool HasEnded() const;
  void Signal(int signal) const;
  // What was read and not returned by ReadLine.
  std::string TakeOutput();

 private:
  Running() = default;
  void End();
  bool Fill(int timeout_ms);
  std::string Errors() const;

  pid_t pid_ = -1;
  Fd pidfd_, output_, errors_;
  Clock::time_point began_;
  std::string buffer_, words_;
};

// Runs it to its end, which is to be a success.
struct Output {
  Nanoseconds took{};
  std::string text;
};
Result<Output> Succeed(const Start& start, Deadline deadline);

// Where PATH has `program`, or it itself when it has a slash and can be executed; kNotFound.
Result<std::string> FindProgram(const std::string& program);

// The last, by name, of what matches the first of these patterns that matches anything (glob(3),
// with
// "~"); kNotFound names them.
Result<std::string> FindFile(const std::vector<std::string>& patterns);

// Set by SIGINT, SIGTERM and SIGHUP after CatchInterruptions: waits end with kState, "interrupted".
void CatchInterruptions();
bool Interrupted();

// Reaps what was left to us (the first process of a pid namespace) and is no Running's.
void ReapOrphans();

}  // namespace kiste::bench
