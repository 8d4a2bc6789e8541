// SPDX-License-Identifier: Apache-2.0
//
// What the table of a program's commands says of each, and what --help makes of it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/options.h"

namespace kiste::cli {

struct CommandText {
  const char* name;
  const char* arguments;  // "<container-id>"
  const char* help;
  std::span<const Option> options;
  size_t least, most;  // how many arguments
};

// The command's options and --help.
Result<Arguments> ParseArguments(const CommandText& command, std::span<const std::string> words);
// kInvalid with what is expected.
Status CheckCount(const CommandText& command, size_t count);

std::string CommandHelp(std::string_view program, const CommandText& command);
// A line of the list of commands.
std::string CommandRow(const CommandText& command);

}  // namespace kiste::cli
