// SPDX-License-Identifier: Apache-2.0
//
// The processes as the first pid namespace has them: the trace speaks of these. The room's /proc is
// mounted above the host's; a thread that unmounts it for itself finds the one below.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace kiste::bench {

class FirstProcesses {
 public:
  // `own_pid` is a thread of ours as the trace has it. kUnsupported when no /proc speaks of it so.
  static Result<FirstProcesses> Open(int own_pid);
  // The parent of each process, and the process of each other thread.
  std::unordered_map<int, int> Parents() const;
  // Whose command line begins with a word that ends in `program`.
  std::vector<int> WithProgram(const std::string& program) const;

 private:
  explicit FirstProcesses(Fd proc) : proc_(std::move(proc)) {}
  Fd proc_;
};

// The same in the /proc that is open as `proc`, the lowest first.
std::vector<int> ProcessesWithProgram(int proc, const std::string& program);

}  // namespace kiste::bench
