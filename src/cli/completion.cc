// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include "base/strings.h"
#include "cli/program.h"
#include "oci/capability_names.h"
#include "oci/signal_names.h"
#include "sys/file.h"

namespace kiste::cli {

namespace {

std::vector<std::string> Signals() {
  constexpr int kLastClassic = 31;
  std::vector<std::string> names;
  for (int number = 1; number <= kLastClassic; ++number)
    names.push_back(oci::SignalName(number).substr(3));
  return names;
}

std::vector<std::string> Capabilities() {
  std::vector<std::string> names;
  for (int number = 0; number < oci::kCapabilityCount; ++number)
    names.emplace_back(oci::CapabilityName(number));
  return names;
}

Result<int> Run(Session& session) {
  const auto& shell = session.arguments.positional()[0];
  CompletionTables tables{"kiste-oci", GlobalOptions(), Commands()};
  std::string script;
  if (shell == "bash") script = BashCompletion(tables);
  if (shell == "zsh") script = ZshCompletion(tables);
  if (shell == "fish") script = FishCompletion(tables);
  if (script.empty())
    return Invalid(StrCat("<shell>: expected bash, zsh or fish, found ", Quote(shell)));
  TRY(sys::WriteAll(1, script, "standard output"));
  return 0;
}

}  // namespace

Completion CompletionOf(std::string_view name) {
  using Kind = Completion::Kind;
  if (name == "FILE" || name == "PATH" || name == "file") return {Kind::kFile, {}};
  if (name == "DIR") return {Kind::kDirectory, {}};
  if (name == "container-id") return {Kind::kContainer, {}};
  if (name == "signal") return {Kind::kWords, Signals()};
  if (name == "CAP_NAME") return {Kind::kWords, Capabilities()};
  if (name.find('|') == std::string_view::npos) return {};
  Completion words{Kind::kWords, {}};
  for (auto word : Split(name, '|')) words.words.emplace_back(word);
  return words;
}

const Command kCompletionCommand = {
    "completion", "bash|zsh|fish", "print a shell's completion script", {}, 1, 1, Run};

}  // namespace kiste::cli
