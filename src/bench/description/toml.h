// SPDX-License-Identifier: Apache-2.0
//
// A TOML file as the values that json.h has: so that an error names the file, the field, the value
// and what was expected.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace kiste::bench {

// kInvalid names the file, the line and the column of what is no TOML; dates are refused.
Result<json::Document> ParseToml(std::string_view text, const std::string& file);

// kInvalid when the table has a member that is not among `names`: a word that is misspelt would
// otherwise silently do nothing.
Status OnlyMembers(const json::Value& table, std::initializer_list<std::string_view> names);

// A command line: a list of words, at least one.
using Words = std::vector<std::string>;
Result<Words> ReadWords(const json::Value& value);
// Several of them, or none when absent.
Result<std::vector<Words>> ReadCommands(const json::Value& value);
// A number with or without a fraction.
Result<double> ReadNumber(const json::Value& value, double fallback);

}  // namespace kiste::bench
