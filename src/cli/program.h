// SPDX-License-Identifier: Apache-2.0
//
// kiste-oci as a whole: global options, the choice of command, --help and --version, and the one
// place where an error becomes a line and an exit code.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/options.h"

namespace kiste::cli {

// `words` without the program's name. Returns the exit code.
int RunProgram(const std::vector<std::string>& words);

std::span<const Option> GlobalOptions();
// For --version and `features`.
std::string_view ProgramVersion();
std::string_view ProgramCommit();
std::string LibseccompVersion();

}  // namespace kiste::cli
