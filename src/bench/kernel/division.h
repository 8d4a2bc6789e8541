// SPDX-License-Identifier: Apache-2.0
//
// Whose work the functions of a trace were.
#pragma once

#include <cstdint>
#include <set>
#include <unordered_map>
#include <vector>

#include "bench/kernel/symbols.h"
#include "bench/kernel/tracer.h"

namespace kiste::bench {

// From when on a thread is the sandboxed program: its exec, or the birth of its process.
struct PayloadRoot {
  int pid = 0;
  uint64_t since = 0;
};

struct Parties {
  // The parent of each thread that there was before the trace, in the first pid namespace; of a
  // process's other threads the first one.
  std::unordered_map<int, int> parents;
  std::vector<PayloadRoot> payload;
  uint64_t began = 0;  // when the instance was started; before, the machine was idle
};

// Places in symbols.functions().
struct Division {
  std::set<int> payload;         // the roots and all they have forked since
  std::set<int> runtime;         // what else this program has started
  std::set<int> kernel_threads;  // but for what they do when idle, too; with the idle thread
  std::set<int> interrupts;      // the same; on whatever thread they came upon
  std::set<int64_t> calls, runtime_calls;  // numbers of system calls
  std::set<int> All() const;
};

Division Divide(const Trace& trace, const Symbols& symbols, const Parties& parties);

// What an interrupt does before and after the kernel counts itself as in one.
bool IsInterruptEntry(std::string_view function);

}  // namespace kiste::bench
