// SPDX-License-Identifier: Apache-2.0
//
// kiste-bench as a whole: the choice of command, --help and --version, and the one place where an
// error becomes a line and an exit code.
#pragma once

#include <string>
#include <vector>

namespace kiste::cli::bench {

// `words` without the program's name. Returns the exit code: 0; 1 for a failure, 2 for a wrong
// command line, 3 for an interrupted run.
int RunProgram(const std::vector<std::string>& words);

const char* Version();

}  // namespace kiste::cli::bench
