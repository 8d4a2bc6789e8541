// SPDX-License-Identifier: Apache-2.0
//
// What the planted process does (witness.h). It is forked from a program that goes on, so it makes
// system calls only (signal-safety(7)).
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace kiste::bench {

// Shared between both. A probe reads the token at its beginning, and writes 64 bytes behind that.
struct WitnessMemory {
  char token[64];
  volatile char scratch[64];
  std::atomic<uint32_t> urgent, by_descriptor;  // signals: SIGURG, SIGWINCH
  std::atomic<uint32_t> connections[3];         // in the order of Chores::listeners
};

// Where the kernel looks for a process's command line and environment (proc_pid_stat(5)).
struct Words {
  char* start = nullptr;         // the command line, and behind it the environment
  size_t size = 0;               // of both
  size_t environment_begin = 0;  // from `start`
};
Result<Words> OwnWords();

// Everything the child needs, made before it is.
struct Chores {
  WitnessMemory* memory = nullptr;
  int listeners[3] = {-1, -1, -1};
  int lifeline = -1;  // a socket: says "ready" on it, and ends when the other end is closed
  Words words;
  std::string command;   // to be seen in its command line
  std::string variable;  // and in its environment
  const char* folder = nullptr;
};

[[noreturn]] void RunWitness(const Chores& chores);

}  // namespace kiste::bench
