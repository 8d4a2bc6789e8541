// SPDX-License-Identifier: Apache-2.0
//
// The few string operations that the standard library of GCC 12 lacks.
#pragma once

#include <concepts>
#include <cstdint>
#include <ctime>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace kiste {

namespace internal {

// One argument of StrCat as text; an integer's digits are kept here.
class Piece {
 public:
  Piece(std::string_view text) : text_(text) {}    // NOLINT(google-explicit-constructor)
  Piece(const std::string& text) : text_(text) {}  // NOLINT(google-explicit-constructor)
  Piece(const char* text) : text_(text) {}         // NOLINT(google-explicit-constructor)
  Piece(char character) : text_(digits_, 1) { digits_[0] = character; }  // NOLINT
  template <std::integral T>
    requires(!std::same_as<T, char> && !std::same_as<T, bool>)
  Piece(T number) {  // NOLINT(google-explicit-constructor)
    if constexpr (std::is_signed_v<T>) {
      Signed(number);
    } else {
      Unsigned(number);
    }
  }
  Piece(const Piece&) = delete;
  Piece& operator=(const Piece&) = delete;

  std::string_view text() const { return text_; }

 private:
  void Signed(int64_t number);
  void Unsigned(uint64_t number);

  char digits_[24];
  std::string_view text_;
};

std::string Concatenate(std::initializer_list<std::string_view> pieces);

}  // namespace internal

// Concatenates strings, characters and integers (in decimal).
template <typename... Pieces>
std::string StrCat(const Pieces&... pieces) {
  return internal::Concatenate({internal::Piece(pieces).text()...});
}

// Splits at every `separator`; "" gives one empty piece, "a,," three.
std::vector<std::string_view> Split(std::string_view text, char separator);
// Joins with `separator` between the pieces.
std::string Join(const std::vector<std::string>& pieces, std::string_view separator);
// A letter or digit of ASCII.
bool IsAlphanumeric(char c);
// `text` without spaces, tabs and newlines at both ends.
std::string_view Trim(std::string_view text);
// The whole of `text` as a decimal number (base 8 for modes: base = 8); nothing when it is not one
// or does not fit.
std::optional<int64_t> ParseInt(std::string_view text, int base = 10);
std::optional<uint64_t> ParseUint(std::string_view text, int base = 10);
// The whole of `text` as a decimal number, with or without a fraction and an exponent: "2", "-1.5",
// ".5e3". Nothing when it is not one, or too large. Not strtod(3), which comes with all locales;
// right to the last bit with up to 19 digits and small exponents.
std::optional<double> ParseReal(std::string_view text);
// A time in UTC as RFC 3339 has it, with `fraction` digits below the second (0 to 9):
// "2026-01-02T03:04:05.123Z". Not gmtime_r or strftime: they read /etc/localtime first.
std::string FormatUtc(const timespec& time, int fraction);
// The same of now.
std::string UtcNow(int fraction);
// `text` in double quotes with control characters, quotes and backslashes escaped, cut after
// `limit` bytes with an ellipsis: for showing a value that somebody else wrote in an error.
std::string Quote(std::string_view text, size_t limit = 200);

}  // namespace kiste
