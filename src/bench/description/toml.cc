// SPDX-License-Identifier: Apache-2.0
#include "bench/description/toml.h"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 1
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

Result<json::Document> ParseToml(std::string_view text, const std::string& file) {
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
