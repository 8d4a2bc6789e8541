// SPDX-License-Identifier: Apache-2.0
//
// A command of kiste-bench: one file each, one table of them (program.cc).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/help.h"
#include "cli/options.h"

namespace kiste::cli::bench {

constexpr char kDefaultRecord[] = "kiste-bench.sqlite";

struct Session {
  Arguments arguments;
  std::string command_line;
};

struct Command : CommandText {
  // The exit code.
  Result<int> (*run)(const Session& session);
};

extern const Command kCleanCommand, kCompareCommand, kListCommand, kReportCommand, kRunCommand;

Status Print(std::string_view text);

// The names of a list with commas.
std::vector<std::string> Names(const std::string& list);

}  // namespace kiste::cli::bench
