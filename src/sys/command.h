// SPDX-License-Identifier: Apache-2.0
//
// posix_spawnp(3): another program of the host runs to its end, and what it says is read.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"

namespace kiste::sys {

struct CommandResult {
  int code;            // 128 + the signal when it was killed by one
  std::string output;  // of both standard streams
};

// Runs `words[0]`, looked for in PATH, with this process's environment and standard input; kills it
// and fails with kTimeout when it does not end within `patience`. An error's operation is
// "execve <words[0]>" when it cannot be started.
Result<CommandResult> RunCommand(std::vector<std::string> words,
                                 std::chrono::milliseconds patience);

}  // namespace kiste::sys
