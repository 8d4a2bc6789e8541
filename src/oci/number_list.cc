// SPDX-License-Identifier: Apache-2.0
#include "oci/number_list.h"

#include <optional>
#include <utility>

#include "base/strings.h"

namespace kiste::oci {

namespace {

std::optional<std::pair<uint64_t, uint64_t>> ParseRange(std::string_view range) {
  const size_t dash = range.find('-');
  auto first = ParseUint(range.substr(0, dash));
  auto last = dash == std::string_view::npos ? first : ParseUint(range.substr(dash + 1));
  if (!first || !last || *first > *last || *last > kHighestInList) return std::nullopt;
  return std::pair{*first, *last};
}

}  // namespace

bool IsNumberRange(std::string_view range) { return ParseRange(range).has_value(); }

std::vector<uint64_t> NumberListBits(std::string_view list) {
  constexpr uint64_t kWord = 64;
  std::vector<uint64_t> bits;
  for (std::string_view piece : Split(list, ',')) {
    auto range = ParseRange(Trim(piece));
    if (!range) continue;
    if (bits.size() <= range->second / kWord) bits.resize(range->second / kWord + 1);
    for (uint64_t n = range->first; n <= range->second; ++n)
      bits[n / kWord] |= uint64_t{1} << n % kWord;
  }
  return bits;
}

}  // namespace kiste::oci
