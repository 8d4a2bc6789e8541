// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer over regular expressions of command lines (`kill --regex`): the first line is one, the
// rest a text. Any bytes are a pattern or an error with a text, in bounded time; what matches
// matches also within a longer text.
//   build/fuzz/fuzz/pattern_fuzzer tests/fuzz/corpus/pattern
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/pattern.h"

namespace {

void Require(bool holds) {
  if (!holds) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(input.find('\n'), input.size());
  const std::string_view text = input.substr(std::min(end + 1, input.size()));
  auto pattern = kiste::Pattern::Compile(input.substr(0, end));
  if (!pattern) {
    Require(!pattern.error().Text().empty());
    return 0;
  }
  // What matches a text also matches it in the middle of another, unless it speaks of the ends.
  bool ends = input.substr(0, end).find_first_of("^$") != std::string_view::npos;
  if (pattern->Matches(text) && !ends) Require(pattern->Matches("x" + std::string(text) + "y"));
  return 0;
}
