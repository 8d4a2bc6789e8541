// SPDX-License-Identifier: Apache-2.0
//
// Command lines as runc's callers write them (Go's flag syntax): -name and --name, a value behind
// "=" or in the next word. The tables that the parser reads also make --help.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kiste::cli {

struct Option {
  const char* name;
  char short_name;    // 0: none
  const char* value;  // what its value is called; nullptr: a switch
  const char* help;
};

// What was given. A name may be given more than once: the last counts, or all of them (Values).
class Arguments {
 public:
  bool Has(std::string_view name) const { return values_.contains(name); }
  // A switch: false when absent, or "--name=false".
  bool Switch(std::string_view name) const;
  std::string Value(std::string_view name, std::string_view fallback = {}) const;
  std::vector<std::string> Values(std::string_view name) const;
  // The value as a number; kInvalid naming the option otherwise. `fallback` when absent.
  Result<uint32_t> Number(std::string_view name, uint32_t fallback) const;

  const std::vector<std::string>& positional() const { return positional_; }

 private:
  friend class ArgumentsParser;
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::vector<std::string> positional_;
};

// Where options may stand: before the first argument only, since what follows it belongs to another
// program; or after it too, where only what is known is an option (`kill id -9` names a signal).
enum class Placement { kBeforeArguments, kAnywhere };

// `words` without the program's or command's name. Behind "--" all are arguments.
Result<Arguments> ParseArguments(std::span<const Option> options,
                                 std::span<const std::string> words,
                                 Placement placement = Placement::kBeforeArguments);

// The options as indented lines for --help.
std::string DescribeOptions(std::span<const Option> options);

}  // namespace kiste::cli
