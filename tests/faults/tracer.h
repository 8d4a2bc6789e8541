// SPDX-License-Identifier: Apache-2.0
//
// Runs a command under ptrace(2) and lets one system call of it, or of a process that it starts,
// go wrong. Processes are numbered as they appear, calls as each process makes them, so that a
// fault has the same place in every run: 0 is the runtime, 1 the launcher, 2 the launcher's fork.
// Programs that are not the runtime's (the container's, hooks) are let go when they are executed.
#pragma once

#include <string>
#include <vector>

namespace kiste::faults {

enum class Kind { kIo, kNoMemory, kNotPermitted, kInterrupted, kKill, kStop };
constexpr Kind kKinds[] = {Kind::kIo,          Kind::kNoMemory, Kind::kNotPermitted,
                           Kind::kInterrupted, Kind::kKill,     Kind::kStop};
const char* KindName(Kind kind);

struct Fault {
  int process = -1;  // -1: none
  int call = 0;
  Kind kind = Kind::kIo;
};

// The system calls that each process made, by number.
using Calls = std::vector<std::vector<long>>;

struct Outcome {
  int exit_code = -1;  // 128 + signal; -1 when the time was over
  bool timed_out = false;
  bool reached = false;     // the call that was to fail was made
  long call = -1;           // its number
  std::string output;       // what the command wrote
  std::string waiting;      // when the time was over: which process was in which call
  int bystander_code = -1;  // kStop: what became of `bystander`
  std::string bystander_output;
  Calls calls;
};

struct Traced {
  std::vector<std::string> command;
  Fault fault;
  int limit_seconds = 20;
  // kStop: run while the process stands at the call, which then is made as if nothing had happened.
  std::vector<std::string> bystander;
};

Outcome Trace(const Traced& traced);

// Runs a command to its end without looking at it; its exit code as above.
// Orphans are buried meanwhile, unless other waits of this process need them.
enum class Orphans { kBury, kLeave };
int Run(const std::vector<std::string>& command, std::string* output, int limit_seconds = 20,
        Orphans orphans = Orphans::kBury);

// Whether a fault of this kind can happen at this system call.
bool CanFail(long call, Kind kind);
std::string CallName(long call);

}  // namespace kiste::faults
