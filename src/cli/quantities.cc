// SPDX-License-Identifier: Apache-2.0
#include "cli/quantities.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "base/strings.h"

namespace kiste::cli {

namespace {

constexpr std::string_view kDigits = "0123456789.";

// A decimal number, not negative, without exponent.
std::optional<double> ParseDecimal(std::string_view text) {
  if (text.empty() || text.find_first_not_of(kDigits) != std::string_view::npos) return {};
  return ParseReal(text);
}

// What a size ends in: "", "b", or a prefix with "b", "ib" or nothing behind it.
std::optional<double> Multiplier(std::string_view given) {
  std::string suffix(given);
  for (char& c : suffix) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (suffix.empty() || suffix == "b") return 1;
  size_t power = std::string_view("kmgtp").find(suffix[0]);
  std::string_view rest = std::string_view(suffix).substr(1);
  if (power == std::string_view::npos || !(rest.empty() || rest == "b" || rest == "ib")) return {};
  return static_cast<double>(uint64_t{1} << (10 * (power + 1)));
}

std::optional<double> NanosecondsOf(std::string_view unit) {
  static constexpr struct {
    std::string_view name;
    double nanoseconds;
  } kUnits[] = {{"ns", 1},   {"us", 1e3}, {"µs", 1e3}, {"μs", 1e3},
                {"ms", 1e6}, {"s", 1e9},  {"m", 60e9}, {"h", 3600e9}};
  for (const auto& [name, nanoseconds] : kUnits) {
    if (name == unit) return nanoseconds;
  }
  return {};
}

}  // namespace

Result<int64_t> ParseBytes(std::string_view option, std::string_view text) {
  if (text == "-1") return -1;
  auto wrong = [&] {
    return Invalid(StrCat("--", option, ": expected a size like 64m, or -1, found ", Quote(text)));
  };
  size_t last = text.find_last_of("0123456789. ");
  if (last == std::string_view::npos) return wrong();
  auto number = ParseDecimal(text.substr(0, text[last] == ' ' ? last : last + 1));
  auto multiplier = Multiplier(text.substr(last + 1));
  constexpr double kMost = 9.2e18;
  if (!number || !multiplier || *number * *multiplier > kMost) return wrong();
  return static_cast<int64_t>(*number * *multiplier);
}

Result<std::chrono::nanoseconds> ParseInterval(std::string_view option, std::string_view text) {
  double nanoseconds = 0;
  std::string_view left = text;
  bool valid = !left.empty();
  while (valid && !left.empty()) {
    size_t digits = std::min(left.find_first_not_of(kDigits), left.size());
    auto number = ParseDecimal(left.substr(0, digits));
    left.remove_prefix(digits);
    size_t letters = std::min(left.find_first_of(kDigits), left.size());
    auto unit = NanosecondsOf(left.substr(0, letters));
    left.remove_prefix(letters);
    valid = number && unit;
    if (valid) nanoseconds += *number * *unit;
  }
  constexpr double kLongest = 1e18;  // 31 years
  if (valid && nanoseconds >= 1 && nanoseconds <= kLongest) {
    return std::chrono::nanoseconds(static_cast<int64_t>(nanoseconds));
  }
  return Invalid(
      StrCat("--", option, ": expected a time above 0 like 5s or 100ms, found ", Quote(text)));
}

}  // namespace kiste::cli
