// SPDX-License-Identifier: Apache-2.0
#include "bench/description/placeholders.h"

#include <optional>

#include "base/strings.h"

namespace kiste::bench {

namespace {

bool IsLetter(char c) { return c == '-' || (c >= 'a' && c <= 'z'); }

// The name of the placeholder that begins at `at`, or nothing. It begins with no digit: {2} is a
// regular expression's.
std::optional<std::string> NameAt(std::string_view text, size_t at) {
  size_t end = at + 1;
  while (end < text.size() &&
         (IsLetter(text[end]) || (end > at + 1 && text[end] >= '0' && text[end] <= '9')))
    ++end;
  if (end == at + 1 || end == text.size() || text[end] != '}') return std::nullopt;
  return std::string(text.substr(at + 1, end - at - 1));
}

Result<const Words*> Find(const Placeholders& values, const std::string& name,
                          const std::string& word) {
  auto at = values.find(name);
  if (at != values.end()) return &at->second;
  return Invalid(StrCat("expected a known placeholder, found {", name, "} in ", Quote(word)));
}

Result<std::string> FillInside(const std::string& word, const Placeholders& values) {
  std::string text;
  for (size_t at = 0; at < word.size(); ++at) {
    auto name = word[at] == '{' ? NameAt(word, at) : std::nullopt;
    if (!name) {
      text += word[at];
      continue;
    }
    const Words* found = TRY(Find(values, *name, word));
    if (found->size() != 1) {
      return Invalid(StrCat("expected one text for {", *name, "} in ", Quote(word), ", found ",
                            found->size()));
    }
    text += found->front();
    at += name->size() + 1;
  }
  return text;
}

}  // namespace

Result<Words> FillIn(const Words& words, const Placeholders& values) {
  Words filled;
  for (const auto& word : words) {
    auto name = word.starts_with('{') ? NameAt(word, 0) : std::nullopt;
    if (name && name->size() + 2 == word.size()) {
      const Words* found = TRY(Find(values, *name, word));
      filled.insert(filled.end(), found->begin(), found->end());
    } else {
      filled.push_back(TRY(FillInside(word, values)));
    }
  }
  return filled;
}

}  // namespace kiste::bench
