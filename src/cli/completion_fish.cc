// SPDX-License-Identifier: Apache-2.0
//
// For fish: a `complete` line for each option, word and argument, with the place where it counts as
// a condition.
#include "base/strings.h"
#include "cli/completion.h"

namespace kiste::cli {

namespace {

constexpr std::string_view kHead =
    R"(# fish completion for kiste-oci, written by: kiste-oci completion fish

# The options with a value: command, colon, name; the program's own have no command.
set -g __kiste_oci_values)";

constexpr std::string_view kFunctions = R"(
# Prints the command before the cursor and how many arguments it has: "kill:1"; ":0" without one.
function __kiste_oci_place
    set -l command ''
    set -l position 0
    set -l value 0
    set -l tokens (commandline -opc)
    for token in $tokens[2..-1]
        if test $value -eq 1
            set value 0
        else if test $position -eq 0; and string match -q -- '-*' $token
            set -l name (string replace -r -- '^--?' '' $token)
            contains -- "$command:$name" $__kiste_oci_values; and set value 1
        else if test -z "$command"
            set command $token
        else
            set position (math $position + 1)
        end
    end
    echo "$command:$position"
end

function __kiste_oci_at
    contains -- (__kiste_oci_place) $argv
end

# Among the options of command $argv[1]: before its first argument.
function __kiste_oci_in
    test (__kiste_oci_place) = "$argv[1]:0"
end

function __kiste_oci_containers
    set -l root
    set -l tokens (commandline -opc)
    set -l before ''
    for token in $tokens[2..-1]
        if contains -- $before --root -root
            set root --root $token
        else if string match -q -r -- '^--?root=' $token
            set root --root (string replace -r -- '^--?root=' '' $token)
        else if contains -- $token $__kiste_oci_commands
            break
        end
        set before $token
    end
    $tokens[1] $root list --quiet 2>/dev/null
end

complete -c kiste-oci -f
complete -c kiste-oci -n '__kiste_oci_at :0 help:0' -a help -d 'show the commands'
)";

std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

// What is offered: the flags of `complete` for files, or a list.
std::string Offer(std::string_view name) {
  Completion completion = CompletionOf(name);
  switch (completion.kind) {
    case Completion::Kind::kNothing:
      return "";
    case Completion::Kind::kFile:
      return " -r -F";
    case Completion::Kind::kDirectory:
      return " -a '(__fish_complete_directories (commandline -ct))'";
    case Completion::Kind::kContainer:
      return " -a '(__kiste_oci_containers)'";
    case Completion::Kind::kWords:
      return StrCat(" -a ", Quoted(Join(completion.words, " ")));
  }
  return "";
}

std::string OptionLines(std::string_view command, std::span<const Option> options) {
  std::string lines;
  for (const auto& option : options) {
    lines += StrCat("complete -c kiste-oci -n '__kiste_oci_in \"", command, "\"' -l ", option.name);
    if (option.short_name != 0) lines += StrCat(" -s ", option.short_name);
    if (option.value != nullptr) {
      std::string offer = Offer(option.value);
      lines += StrCat(offer.ends_with("-F") ? "" : " -x", offer);
    }
    lines += StrCat(" -d ", Quoted(option.help), "\n");
  }
  return lines;
}

std::string Values(std::string_view command, std::span<const Option> options) {
  std::string words;
  for (const auto& option : options) {
    if (option.value == nullptr) continue;
    words += StrCat(" ", command, ":", option.name);
    if (option.short_name != 0) words += StrCat(" ", command, ":", option.short_name);
  }
  return words;
}

std::string ArgumentLines(const Command& command) {
  std::string lines;
  size_t number = 0;
  for (const auto& name : ArgumentNames(command.arguments)) {
    std::string offer = Offer(name);
    if (!offer.empty()) {
      lines += StrCat("complete -c kiste-oci -n '__kiste_oci_at ", command.name, ":", number, "'",
                      offer, "\n");
    }
    ++number;
  }
  return lines;
}

}  // namespace

std::string FishCompletion(const CompletionTables& tables) {
  std::string values = Values("", tables.global), lines = OptionLines("", tables.global), names;
  for (const auto& command : tables.commands) {
    values += Values(command.name, command.options);
    names += StrCat(" ", command.name);
    lines += StrCat("complete -c kiste-oci -n '__kiste_oci_at :0 help:0' -a ", command.name, " -d ",
                    Quoted(command.help), "\n", OptionLines(command.name, command.options),
                    "complete -c kiste-oci -n '__kiste_oci_in \"", command.name,
                    "\"' -l help -s h -d 'show this'\n", ArgumentLines(command));
  }
  return StrCat(kHead, values, "\nset -g __kiste_oci_commands", names, "\n", kFunctions, lines);
}

}  // namespace kiste::cli
