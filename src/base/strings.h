// SPDX-License-Identifier: Apache-2.0
//
// The few string operations that the standard library of GCC 12 lacks.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiste {

namespace internal {

inline void Append(std::string& to, std::string_view piece) { to += piece; }
inline void Append(std::string& to, char piece) { to += piece; }
template <std::integral T>
  requires(!std::same_as<T, char> && !std::same_as<T, bool>)
void Append(std::string& to, T piece) {
  char digits[24];
  auto end = std::to_chars(digits, digits + sizeof digits, piece).ptr;
  to.append(digits, end);
}

}  // namespace internal

// Concatenates strings, characters and integers (in decimal).
template <typename... Pieces>
std::string StrCat(const Pieces&... pieces) {
  std::string text;
  (internal::Append(text, pieces), ...);
  return text;
}

// Splits at every `separator`; "" gives one empty piece, "a,," three.
std::vector<std::string_view> Split(std::string_view text, char separator);
// Joins with `separator` between the pieces.
std::string Join(const std::vector<std::string>& pieces, std::string_view separator);
// `text` without spaces, tabs and newlines at both ends.
std::string_view Trim(std::string_view text);
// The whole of `text` as a decimal number (base 8 for modes: base = 8); nothing when it is not one
// or does not fit.
std::optional<int64_t> ParseInt(std::string_view text, int base = 10);
std::optional<uint64_t> ParseUint(std::string_view text, int base = 10);
// A time in UTC as RFC 3339 has it, with `fraction` digits below the second (0 to 9):
// "2026-01-02T03:04:05.123Z". Not strftime: that reads /etc/localtime first.
std::string FormatUtc(const timespec& time, int fraction);
// `text` in double quotes with control characters, quotes and backslashes escaped, cut after
// `limit` bytes with an ellipsis: for showing a value that somebody else wrote in an error.
std::string Quote(std::string_view text, size_t limit = 200);

}  // namespace kiste
