// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include "base/strings.h"

namespace kiste::cli {

namespace {

const Option* Find(std::span<const Option> options, std::string_view name) {
  for (const auto& option : options) {
    if (name == option.name) return &option;
    if (name.size() == 1 && name[0] == option.short_name) return &option;
  }
  return nullptr;
}

}  // namespace

bool Arguments::Switch(std::string_view name) const {
  auto at = values_.find(name);
  return at != values_.end() && at->second.back() != "false";
}

std::string Arguments::Value(std::string_view name, std::string_view fallback) const {
  auto at = values_.find(name);
  return at == values_.end() ? std::string(fallback) : at->second.back();
}

std::vector<std::string> Arguments::Values(std::string_view name) const {
  auto at = values_.find(name);
  return at == values_.end() ? std::vector<std::string>() : at->second;
}

Result<uint32_t> Arguments::Number(std::string_view name, uint32_t fallback) const {
  auto at = values_.find(name);
  if (at == values_.end()) return fallback;
  auto number = ParseUint(at->second.back());
  if (number && *number <= UINT32_MAX) return static_cast<uint32_t>(*number);
  return Invalid(StrCat("--", name, ": expected a number, found ", Quote(at->second.back())));
}

Result<Arguments> ParseArguments(std::span<const Option> options,
                                 std::span<const std::string> words) {
  Arguments arguments;
  size_t i = 0;
  for (; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (word.size() < 2 || word[0] != '-') break;
    if (word == "--") {
      ++i;
      break;
    }
    std::string_view name = word.substr(word[1] == '-' ? 2 : 1);
    std::optional<std::string_view> value;
    if (size_t equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    const Option* option = Find(options, name);
    if (option == nullptr) return Invalid(StrCat("unknown option ", Quote(word)));
    if (option->value == nullptr) {
      if (value && value != "true" && value != "false") {
        return Invalid(
            StrCat("--", option->name, ": expected true or false, found ", Quote(*value)));
      }
      arguments.values_[option->name].emplace_back(value.value_or("true"));
      continue;
    }
    if (!value && i + 1 == words.size())
      return Invalid(StrCat("flag needs an argument: --", option->name));
    if (!value) value = words[++i];
    arguments.values_[option->name].emplace_back(*value);
  }
  arguments.positional_.assign(words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
  return arguments;
}

std::string DescribeOptions(std::span<const Option> options) {
  constexpr size_t kColumn = 34;
  std::string text;
  for (const auto& option : options) {
    std::string line = StrCat("   --", option.name);
    if (option.short_name != 0) line += StrCat(", -", option.short_name);
    if (option.value != nullptr) line += StrCat(" ", option.value);
    line += std::string(line.size() < kColumn ? kColumn - line.size() : 1, ' ');
    text += StrCat(line, option.help, "\n");
  }
  return text;
}

}  // namespace kiste::cli
