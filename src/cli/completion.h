// SPDX-License-Identifier: Apache-2.0
//
// Completion scripts for shells, made of the tables that the parser and --help read. A script knows
// all options and words; only the ids of containers are asked for, from `list --quiet`.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace kiste::cli {

// What a value or an argument may be, told by its name in the tables.
struct Completion {
  enum class Kind { kNothing, kFile, kDirectory, kContainer, kWords };
  Kind kind = Kind::kNothing;
  std::vector<std::string> words;  // kWords
};

// "FILE" and "PATH" are files, "DIR" a directory, "container-id" a container's; "table|json" is one
// of these words, "signal" and "CAP_NAME" one of those the kernel has. Anything else is nothing.
Completion CompletionOf(std::string_view name);

// What a script is made of: the program's options, its commands and `help`.
struct CompletionTables {
  std::string program;
  std::span<const Option> global;
  std::span<const Command> commands;
};

// completion_bash.cc, completion_zsh.cc, completion_fish.cc
std::string BashCompletion(const CompletionTables& tables);
std::string ZshCompletion(const CompletionTables& tables);
std::string FishCompletion(const CompletionTables& tables);

}  // namespace kiste::cli
