// SPDX-License-Identifier: Apache-2.0
#include "base/strings.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

namespace kiste {

namespace internal {

void Piece::Signed(int64_t number) {
  text_ = {digits_, std::to_chars(digits_, digits_ + sizeof digits_, number).ptr};
}

void Piece::Unsigned(uint64_t number) {
  text_ = {digits_, std::to_chars(digits_, digits_ + sizeof digits_, number).ptr};
}

std::string Concatenate(std::initializer_list<std::string_view> pieces) {
  size_t size = 0;
  for (auto piece : pieces) size += piece.size();
  std::string text;
  text.reserve(size);
  for (auto piece : pieces) text += piece;
  return text;
}

}  // namespace internal

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  while (true) {
    size_t at = text.find(separator);
    pieces.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return pieces;
    text.remove_prefix(at + 1);
  }
}

std::string Join(const std::vector<std::string>& pieces, std::string_view separator) {
  std::string text;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (i != 0) text += separator;
    text += pieces[i];
  }
  return text;
}

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

template <typename T>
static std::optional<T> ParseNumber(std::string_view text, int base) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int64_t> ParseInt(std::string_view text, int base) {
  return ParseNumber<int64_t>(text, base);
}

std::optional<uint64_t> ParseUint(std::string_view text, int base) {
  return ParseNumber<uint64_t>(text, base);
}

std::string UtcNow(int fraction) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return FormatUtc(now, fraction);
}

// The digits at the front of `text`, which are taken off it, as a continuation of `number`; true
// when there were any. Those beyond what `number` holds only count for `exponent`.
static bool TakeDigits(std::string_view& text, uint64_t& number, int& exponent, int each) {
  constexpr uint64_t kMost = 1'000'000'000'000'000'000;
  bool any = false;
  for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), any = true) {
    if (number < kMost) {
      number = number * 10 + static_cast<uint64_t>(text[0] - '0');
      exponent += each;
    } else {
      exponent += each + 1;
    }
  }
  return any;
}

std::optional<double> ParseReal(std::string_view text) {
  constexpr int kMostExponent = 1000;  // above every double's
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  uint64_t digits = 0;
  int exponent = 0;
  bool any = TakeDigits(text, digits, exponent, 0);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    any = TakeDigits(text, digits, exponent, -1) || any;
  }
  if (any && (text.starts_with('e') || text.starts_with('E'))) {
    text.remove_prefix(1);
    if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
    auto given = ParseInt(text);
    if (!given) return std::nullopt;
    exponent += static_cast<int>(std::clamp<int64_t>(*given, -kMostExponent, kMostExponent));
    text = {};
  }
  if (!any || !text.empty()) return std::nullopt;
  auto value = static_cast<long double>(digits), power = 1.0L;
  for (int i = std::min(std::abs(exponent), 2 * kMostExponent); i > 0; --i) power *= 10;
  value = exponent < 0 ? value / power : value * power;
  auto number = static_cast<double>(negative ? -value : value);
  if (!std::isfinite(number)) return std::nullopt;
  return number;
}

std::string FormatUtc(const timespec& time, int fraction) {
  using std::chrono::days, std::chrono::seconds;
  auto instant = std::chrono::sys_seconds(seconds(time.tv_sec));
  auto day = std::chrono::floor<days>(instant);
  std::chrono::year_month_day date(day);
  std::chrono::hh_mm_ss clock(instant - day);
  auto digits = [](int64_t number, size_t width) {
    std::string text = StrCat(number);
    return std::string(width - std::min(width, text.size()), '0') + text;
  };
  std::string text = StrCat(
      digits(static_cast<int>(date.year()), 4), "-", digits(static_cast<unsigned>(date.month()), 2),
      "-", digits(static_cast<unsigned>(date.day()), 2), "T", digits(clock.hours().count(), 2), ":",
      digits(clock.minutes().count(), 2), ":", digits(clock.seconds().count(), 2));
  if (fraction > 0) {
    text += "." + digits(time.tv_nsec, 9).substr(0, static_cast<size_t>(fraction));
  }
  return text + "Z";
}

std::string Quote(std::string_view text, size_t limit) {
  constexpr char kHex[] = "0123456789abcdef";
  bool cut = text.size() > limit;
  if (cut) text = text.substr(0, limit);
  std::string quoted = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      quoted += "\\x";
      quoted += kHex[byte >> 4];
      quoted += kHex[byte & 15];
    } else {
      quoted += c;
    }
  }
  return quoted + (cut ? "…\"" : "\"");
}

}  // namespace kiste
