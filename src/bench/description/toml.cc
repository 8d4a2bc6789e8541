// SPDX-License-Identifier: Apache-2.0
#include "bench/description/toml.h"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 1
// Of version 3.3's assertions one holds for no wrong name of a table, of which the next lines make
// an error.
#define TOML_ASSERT(condition) static_cast<void>(0)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wnull-dereference"
#include <toml++/toml.h>
#pragma GCC diagnostic pop

#include <algorithm>
#include <sstream>

#include "base/strings.h"

namespace kiste::bench {

namespace {

// Descriptions are ASCII: at others outside of texts toml++ 3.3 does what C++ leaves undefined.
Status CheckLetters(std::string_view text, const std::string& file) {
  auto wrong = std::find_if(text.begin(), text.end(), [](char letter) {
    bool printable = letter >= ' ' && letter <= '~';
    return !printable && letter != '\t' && letter != '\n' && letter != '\r';
  });
  if (wrong == text.end()) return {};
  return Invalid(StrCat(file, ": line ", 1 + std::count(text.begin(), wrong, '\n'),
                        ": expected printable ASCII, found ",
                        Quote(text.substr(static_cast<size_t>(wrong - text.begin()), 1))));
}

}  // namespace

Result<json::Document> ParseToml(std::string_view text, const std::string& file) {
  TRY(CheckLetters(text, file));
  auto parsed = toml::parse(text, file);
  if (!parsed) {
    const auto& error = parsed.error();
    return Invalid(StrCat(file, ": line ", error.source().begin.line, ", column ",
                          error.source().begin.column, ": ", error.description()));
  }
  std::ostringstream as_json;
  // Not quote_infinities_and_nans or the like: what JSON does not have is an error of its parser.
  as_json << toml::json_formatter(parsed.table(), toml::format_flags::none);
  return json::Document::Parse(as_json.str(), file);
}

Status OnlyMembers(const json::Value& table, std::initializer_list<std::string_view> names) {
  if (!table) return {};
  TRY(table.ExpectObject());
  return table.ForEachMember([&](std::string_view name, const json::Value& member) -> Status {
    if (std::find(names.begin(), names.end(), name) != names.end()) return {};
    std::vector<std::string> known(names.begin(), names.end());
    return member.Wrong(StrCat("expected one of ", Join(known, ", "), ", found ", Quote(name)));
  });
}

Result<Words> ReadWords(const json::Value& value) {
  auto words = TRY(value.Strings());
  if (words.empty()) return value.Expected("a list of words");
  return words;
}

Result<std::vector<Words>> ReadCommands(const json::Value& value) {
  std::vector<Words> commands;
  auto read = [&commands](const json::Value& command) -> Status {
    commands.push_back(TRY(ReadWords(command)));
    return {};
  };
  TRY(value.ForEach(read));
  return commands;
}

Result<double> ReadNumber(const json::Value& value, double fallback) {
  if (!value) return fallback;
  if (!value.is_number()) return value.Expected("a number");
  return value.raw()->GetDouble();
}

}  // namespace kiste::bench
