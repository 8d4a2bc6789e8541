// SPDX-License-Identifier: Apache-2.0
#include "cli/bench/program.h"

#include <cstdio>

#include "base/strings.h"
#include "cli/bench/command.h"
#include "sys/file.h"

#ifndef KISTE_VERSION
#error "KISTE_VERSION is set by CMakeLists.txt"
#endif

namespace kiste::cli::bench {

namespace {

constexpr std::string_view kProgram = "kiste-bench";
constexpr int kWrongCommandLine = 2;

constexpr const Command* kCommands[] = {&kListCommand, &kRunCommand, &kReportCommand,
                                        &kCompareCommand, &kCleanCommand};

constexpr Option kGlobalOptions[] = {
    {"help", 'h', nullptr, "show this"},
    {"version", 'v', nullptr, "show the version"},
};

std::string ProgramHelp() {
  std::string text =
      StrCat(kProgram,
             " - measures what sandboxes cost and give: noninterference, isolation, performance\n\n"
             "USAGE:\n   ",
             kProgram, " command [options] [arguments]\n\nCOMMANDS:\n");
  for (const auto* command : kCommands) {
    std::string line = StrCat("   ", command->name);
    text += StrCat(line, std::string(14 - line.size(), ' '), command->help, "\n");
  }
  return StrCat(text, "\nGLOBAL OPTIONS:\n", DescribeOptions(kGlobalOptions));
}

std::string CommandHelp(const Command& command) {
  return StrCat(kProgram, " ", command.name, " - ", command.help, "\n\nUSAGE:\n   ", kProgram, " ",
                command.name, command.options.empty() ? "" : " [options]",
                command.arguments[0] == 0 ? "" : " ", command.arguments, "\n",
                command.options.empty() ? "" : "\nOPTIONS:\n", DescribeOptions(command.options));
}

const Command* Find(std::string_view name) {
  for (const auto* command : kCommands) {
    if (name == command->name) return command;
  }
  return nullptr;
}

int Complain(const Error& error, int code) {
  fprintf(stderr, "%s: %s\n", kProgram.data(), error.Text().c_str());
  return code;
}

Result<Arguments> ReadArguments(const Command& command, std::span<const std::string> words) {
  std::vector<Option> options(command.options.begin(), command.options.end());
  options.push_back(kGlobalOptions[0]);
  auto arguments = TRY(ParseArguments(options, words, Placement::kAnywhere));
  size_t count = arguments.positional().size();
  if (arguments.Has("help") || (count >= command.least && count <= command.most)) return arguments;
  return Invalid(StrCat("expected ", command.arguments[0] == 0 ? "no argument" : command.arguments,
                        ", found ", count, count == 1 ? " argument" : " arguments"));
}

}  // namespace

const char* Version() { return KISTE_VERSION; }

Status Print(std::string_view text) { return sys::WriteAll(1, text, "standard output"); }

int RunProgram(const std::vector<std::string>& words) {
  auto global = ParseArguments(kGlobalOptions, words);
  if (!global) return Complain(global.error(), kWrongCommandLine);
  const auto& rest = global->positional();
  if (global->Has("version")) {
    static_cast<void>(Print(StrCat(kProgram, " version ", KISTE_VERSION, "\n")));
    return 0;
  }
  const Command* command = rest.empty() ? nullptr : Find(rest[0]);
  if (global->Has("help") || rest.empty() || rest[0] == "help") {
    const Command* about = rest.size() > 1 ? Find(rest[1]) : nullptr;
    static_cast<void>(Print(about != nullptr ? CommandHelp(*about) : ProgramHelp()));
    return rest.empty() && !global->Has("help") ? kWrongCommandLine : 0;
  }
  if (command == nullptr) {
    auto unknown = Invalid(StrCat("unknown command ", Quote(rest[0])));
    return Complain(unknown.error(), kWrongCommandLine);
  }
  auto arguments = ReadArguments(*command, std::span(rest).subspan(1));
  if (!arguments) return Complain(arguments.error(), kWrongCommandLine);
  if (arguments->Has("help")) {
    static_cast<void>(Print(CommandHelp(*command)));
    return 0;
  }
  auto code = command->run({*arguments, StrCat(kProgram, " ", Join(words, " "))});
  return code ? *code : Complain(code.error(), 1);
}

}  // namespace kiste::cli::bench
