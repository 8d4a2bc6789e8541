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

class ArgumentsParser {
 public:
  ArgumentsParser(std::span<const Option> options, std::span<const std::string> words)
      : options_(options), words_(words) {}

  Result<Arguments> Parse(Placement placement) {
    for (; at_ < words_.size() && words_[at_] != "--"; ++at_) {
      if (LooksLikeOption(words_[at_])) {
        TRY(ReadOption());
      } else if (placement == Placement::kAnywhere) {
        arguments_.positional_.push_back(words_[at_]);
      } else {
        break;
      }
    }
    if (at_ < words_.size() && words_[at_] == "--") ++at_;
    auto rest = words_.subspan(at_);
    arguments_.positional_.insert(arguments_.positional_.end(), rest.begin(), rest.end());
    return std::move(arguments_);
  }

 private:
  struct Word {
    std::string_view name;
    std::optional<std::string_view> value;
  };

  static Word Take(std::string_view word) {
    Word taken{word.substr(word[1] == '-' ? 2 : 1), std::nullopt};
    if (size_t equals = taken.name.find('='); equals != std::string_view::npos) {
      taken.value = taken.name.substr(equals + 1);
      taken.name = taken.name.substr(0, equals);
    }
    return taken;
  }

  bool LooksLikeOption(std::string_view word) const {
    if (word.size() < 2 || word[0] != '-') return false;
    return arguments_.positional_.empty() || Find(options_, Take(word).name) != nullptr;
  }

  Status ReadOption() {
    auto [name, value] = Take(words_[at_]);
    const Option* option = Find(options_, name);
    if (option == nullptr) return Invalid(StrCat("unknown option ", Quote(words_[at_])));
    if (option->value == nullptr) {
      if (value && value != "true" && value != "false") {
        return Invalid(
            StrCat("--", option->name, ": expected true or false, found ", Quote(*value)));
      }
      value = value.value_or("true");
    } else if (!value) {
      if (at_ + 1 == words_.size())
        return Invalid(StrCat("flag needs an argument: --", option->name));
      value = words_[++at_];
    }
    arguments_.values_[option->name].emplace_back(*value);
    return {};
  }

  std::span<const Option> options_;
  std::span<const std::string> words_;
  size_t at_ = 0;
  Arguments arguments_;
};

Result<Arguments> ParseArguments(std::span<const Option> options,
                                 std::span<const std::string> words, Placement placement) {
  return ArgumentsParser(options, words).Parse(placement);
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
