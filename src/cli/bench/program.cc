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
  for (const auto* command : kCommands) text += CommandRow(*command);
  return StrCat(text, "\nGLOBAL OPTIONS:\n", DescribeOptions(kGlobalOptions));
}

const Command* Find(std::string_view name) {
  for (const auto* command : kCommands) {
    if (name == command->name) return command;
  }
  return nullptr;
}

int Complain(const Error& error, int code) {
  fputs(StrCat(kProgram, ": ", error.Text(), "\n").c_str(), stderr);
  return code;
}

// With --help, their number does not matter.
Result<Arguments> ReadArguments(const Command& command, std::span<const std::string> words) {
  auto arguments = TRY(ParseArguments(command, words));
  if (!arguments.Has("help")) TRY(CheckCount(command, arguments.positional().size()));
  return arguments;
}

}  // namespace

const char* Version() { return KISTE_VERSION; }

Status Print(std::string_view text) { return sys::WriteAll(1, text, "standard output"); }

std::vector<std::string> Names(const std::string& list) {
  std::vector<std::string> names;
  for (auto name : Split(list, ',')) {
    if (!name.empty()) names.emplace_back(name);
  }
  return names;
}

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
    static_cast<void>(Print(about != nullptr ? CommandHelp(kProgram, *about) : ProgramHelp()));
    return rest.empty() && !global->Has("help") ? kWrongCommandLine : 0;
  }
  if (command == nullptr) {
    auto unknown = Invalid(StrCat("unknown command ", Quote(rest[0])));
    return Complain(unknown.error(), kWrongCommandLine);
  }
  auto arguments = ReadArguments(*command, std::span(rest).subspan(1));
  if (!arguments) return Complain(arguments.error(), kWrongCommandLine);
  if (arguments->Has("help")) {
    static_cast<void>(Print(CommandHelp(kProgram, *command)));
    return 0;
  }
  auto code = command->run({*arguments, StrCat(kProgram, " ", Join(words, " "))});
  return code ? *code : Complain(code.error(), 1);
}

}  // namespace kiste::cli::bench
