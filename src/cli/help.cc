// SPDX-License-Identifier: Apache-2.0
#include "cli/help.h"

#include <algorithm>

#include "base/strings.h"

namespace kiste::cli {

Result<Arguments> ParseArguments(const CommandText& command, std::span<const std::string> words) {
  // The many arguments of exec and ps are another program's command line.
  constexpr size_t kMostOfOurOwn = 100;
  auto placement =
      command.most > kMostOfOurOwn ? Placement::kBeforeArguments : Placement::kAnywhere;
  std::vector<Option> options(command.options.begin(), command.options.end());
  options.push_back({"help", 'h', nullptr, ""});
  return ParseArguments(options, words, placement);
}

Status CheckCount(const CommandText& command, size_t count) {
  if (count >= command.least && count <= command.most) return {};
  return Invalid(StrCat("expected ", command.arguments[0] == 0 ? "no argument" : command.arguments,
                        ", found ", count, count == 1 ? " argument" : " arguments"));
}

std::string CommandHelp(std::string_view program, const CommandText& command) {
  std::string text = StrCat(program, " ", command.name, " - ", command.help, "\n\nUSAGE:\n   ",
                            program, " ", command.name, command.options.empty() ? "" : " [options]",
                            command.arguments[0] == 0 ? "" : " ", command.arguments, "\n");
  return command.options.empty() ? text
                                 : StrCat(text, "\nOPTIONS:\n", DescribeOptions(command.options));
}

std::string CommandRow(const CommandText& command) {
  std::string line = StrCat("   ", command.name);
  return StrCat(line, std::string(14 - std::min<size_t>(line.size(), 13), ' '), command.help, "\n");
}

}  // namespace kiste::cli
