// SPDX-License-Identifier: Apache-2.0
//
// For bash(1), "Programmable Completion"; needs no other package. Tables are `case` words: a
// command, a colon, an option's name or an argument's number; the program's own options have no
// command in front of the colon.
#include <algorithm>

#include "base/strings.h"
#include "cli/completion.h"

namespace kiste::cli {

namespace {

constexpr std::string_view kHead =
    R"(# bash completion for kiste-oci, written by: kiste-oci completion bash

# Sets `wanted` to what the value of option $2 of command $1 may be; fails for a switch.
_kiste_oci_value() {
  case $1:$2 in
)";

constexpr std::string_view kArguments = R"(    *) return 1 ;;
  esac
}

# The same for argument number $2, counted from 0.
_kiste_oci_argument() {
  case $1:$2 in
)";

constexpr std::string_view kOptions = R"(    *) wanted= ;;
  esac
}

_kiste_oci_options() {
  case $1 in
)";

// %COMMANDS% stands for their names. Ids are compared, never expanded: `compgen -W` would run what
// stands in them.
constexpr std::string_view kTail = R"(  esac
}

# Offers what `wanted` says and begins with $1; each with $2 in front.
_kiste_oci_offer() {
  local word
  case $wanted in
    file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -P "$2" -f -- "$1") ;;
    directory) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -P "$2" -d -- "$1") ;;
    container)
      while IFS= read -r word; do
        [[ $word != "$1"* ]] || COMPREPLY+=("$2$word")
      done < <("${COMP_WORDS[0]}" "${root[@]}" list --quiet 2>/dev/null) ;;
    *)
      for word in $wanted; do
        [[ $word != "$1"* ]] || COMPREPLY+=("$2$word")
      done ;;
  esac
}

_kiste_oci() {
  local -a words=() root=()
  local i word option='' command='' wanted='' name
  local -i position=0 ended=0
  COMPREPLY=()
  # Bash cuts --name=value at the equals sign: together again.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $i -gt 1 && ( $word == = || ${words[-1]} == -*= && ${COMP_WORDS[i-1]} == = ) ]]; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
  done
  local current=${words[-1]}
  unset 'words[-1]'

  for word in "${words[@]}"; do
    if [[ -n $option ]]; then
      [[ $command:$option != :root ]] || root=(--root "${word/#\~\//$HOME/}")
      option=
    elif [[ $ended -eq 0 && $word == -- ]]; then
      ended=1
    elif [[ $ended -eq 0 && $word == -?* ]]; then
      name=${word#-} name=${name#-}
      if [[ $name == root=* && -z $command ]]; then
        name=${name#*=} root=(--root "${name/#\~\//$HOME/}")
      elif [[ $name != *=* ]] && _kiste_oci_value "$command" "$name"; then
        option=$name
      fi
    elif [[ -z $command ]]; then
      command=$word ended=0
    else
      position+=1 ended=1
    fi
  done

  if [[ -n $option ]]; then
    _kiste_oci_value "$command" "$option"
    _kiste_oci_offer "$current" ''
  elif [[ $ended -eq 0 && $current == -*=* ]]; then
    name=${current%%=*} name=${name#-} name=${name#-}
    if _kiste_oci_value "$command" "$name"; then
      # What is offered takes the place of the word behind the equals sign.
      [[ $COMP_WORDBREAKS == *=* ]] && word='' || word=${current%%=*}=
      _kiste_oci_offer "${current#*=}" "$word"
    fi
  elif [[ $ended -eq 0 && $current == -* ]]; then
    wanted=$(_kiste_oci_options "$command")
    _kiste_oci_offer "$current" ''
  elif [[ -z $command || ( $command == help && $position -eq 0 ) ]]; then
    wanted='%COMMANDS%'
    _kiste_oci_offer "$current" ''
  else
    _kiste_oci_argument "$command" "$position"
    _kiste_oci_offer "$current" ''
  fi
}

complete -F _kiste_oci kiste-oci
)";

std::string Wanted(const Completion& completion) {
  switch (completion.kind) {
    case Completion::Kind::kNothing:
      return "";
    case Completion::Kind::kFile:
      return "file";
    case Completion::Kind::kDirectory:
      return "directory";
    case Completion::Kind::kContainer:
      return "container";
    case Completion::Kind::kWords:
      return StrCat("'", Join(completion.words, " "), "'");
  }
  return "";
}

std::string Values(std::string_view command, std::span<const Option> options) {
  std::string lines;
  for (const auto& option : options) {
    if (option.value == nullptr) continue;
    std::string pattern = StrCat(command, ":", option.name);
    if (option.short_name != 0) pattern += StrCat("|", command, ":", option.short_name);
    lines += StrCat("    ", pattern, ") wanted=", Wanted(CompletionOf(option.value)), " ;;\n");
  }
  return lines;
}

std::string OptionWords(std::string_view command, std::span<const Option> options) {
  std::string words = "--help -h";
  for (const auto& option : options) {
    if (std::string_view(option.name) == "help") continue;
    words += StrCat(" --", option.name);
    if (option.short_name != 0) words += StrCat(" -", option.short_name);
  }
  return StrCat("    ", command.empty() ? "''" : command, ") echo '", words, "' ;;\n");
}

std::string ArgumentCases(const Command& command) {
  std::string lines;
  size_t number = 0;
  for (const auto& name : ArgumentNames(command.arguments)) {
    std::string wanted = Wanted(CompletionOf(name));
    if (!wanted.empty())
      lines += StrCat("    ", command.name, ":", number, ") wanted=", wanted, " ;;\n");
    ++number;
  }
  return lines;
}

}  // namespace

std::string BashCompletion(const CompletionTables& tables) {
  std::string values = Values("", tables.global), options = OptionWords("", tables.global);
  std::string arguments, names;
  for (const auto& command : tables.commands) {
    values += Values(command.name, command.options);
    options += OptionWords(command.name, command.options);
    arguments += ArgumentCases(command);
    names += StrCat(command.name, " ");
  }
  constexpr std::string_view kMark = "%COMMANDS%";
  size_t mark = kTail.find(kMark);
  return StrCat(kHead, values, kArguments, arguments, kOptions, options, kTail.substr(0, mark),
                names, "help", kTail.substr(mark + kMark.size()));
}

}  // namespace kiste::cli
