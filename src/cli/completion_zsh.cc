// SPDX-License-Identifier: Apache-2.0
//
// For zsh: specifications of _arguments (zshcompsys(1)), once for the program, once a command.
#include "base/strings.h"
#include "cli/completion.h"

namespace kiste::cli {

namespace {

constexpr std::string_view kHead = R"zsh(#compdef kiste-oci
# zsh completion for kiste-oci, written by: kiste-oci completion zsh

_kiste_oci_containers() {
  local -a ids
  ids=(${(f)"$($program $root list --quiet 2>/dev/null)"})
  compadd -a ids
}

_kiste-oci() {
  local curcontext=$curcontext context state state_descr line program=${(Q)words[1]}
  local -a root commands
  local -A opt_args
  commands=(
)zsh";

constexpr std::string_view kGlobal = R"(    'help:show the commands or a command'\''s options'
  )
  _arguments -C \
)";

constexpr std::string_view kCommands = R"(    ': :->command' '*:: :->arguments' && return
  (( ! $+opt_args[--root] )) || root=(--root ${(Q)opt_args[--root]})
  case $state in
    command) _describe -t commands command commands ;;
    arguments)
      case $words[1] in
        help) _describe -t commands command commands ;;
)";

constexpr std::string_view kTail = R"(      esac ;;
  esac
}

# Loaded by its name as a function, or read as a file.
if [[ $funcstack[1] == _kiste-oci ]]; then
  _kiste-oci "$@"
else
  compdef _kiste-oci kiste-oci
fi
)";

// `text` between single quotes, with a backslash before each character of `special`.
std::string Quoted(std::string_view text, std::string_view special) {
  std::string quoted;
  for (char c : text) {
    if (special.find(c) != std::string_view::npos) quoted += '\\';
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return quoted;
}

std::string Action(std::string_view name) {
  Completion completion = CompletionOf(name);
  switch (completion.kind) {
    case Completion::Kind::kNothing:
      return " ";
    case Completion::Kind::kFile:
      return "_files";
    case Completion::Kind::kDirectory:
      return "_path_files -/";  // _files offers files where there is no directory
    case Completion::Kind::kContainer:
      return "_kiste_oci_containers";
    case Completion::Kind::kWords:
      return StrCat("(", Join(completion.words, " "), ")");
  }
  return " ";
}

std::string Specification(const Option& option) {
  std::string_view equals = option.value == nullptr ? "" : "=";
  std::string names = StrCat("--", option.name, equals);
  if (option.short_name != 0) names = StrCat("{-", option.short_name, ",", names, "}");
  std::string rest = StrCat("[", Quoted(option.help, "[]:"), "]");
  if (option.value != nullptr)
    rest += StrCat(":", Quoted(option.value, ":"), ":", Action(option.value));
  return StrCat("'*'", names, "'", rest, "' ");
}

std::string Case(const Command& command) {
  std::string text = StrCat("        ", command.name, ")\n          _arguments \\\n");
  for (const auto& option : command.options)
    text += StrCat("            ", Specification(option), "\\\n");
  size_t number = 0;
  for (const auto& name : ArgumentNames(command.arguments)) {
    ++number;
    text += StrCat("            '", number, ":", Quoted(name, ":"), ":", Action(name), "' \\\n");
  }
  return StrCat(text, "            '(- *)'{-h,--help}'[show this]' ;;\n");
}

}  // namespace

std::string ZshCompletion(const CompletionTables& tables) {
  std::string text(kHead), cases;
  for (const auto& command : tables.commands) {
    text += StrCat("    '", command.name, ":", Quoted(command.help, ""), "'\n");
    cases += Case(command);
  }
  text += kGlobal;
  for (const auto& option : tables.global) text += StrCat("    ", Specification(option), "\\\n");
  return StrCat(text, kCommands, cases, kTail);
}

}  // namespace kiste::cli
