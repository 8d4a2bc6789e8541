// SPDX-License-Identifier: Apache-2.0
#include "oci/semver.h"

#include <algorithm>

#include "base/strings.h"

namespace kiste::oci {

namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsIdentifierCharacter(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

bool HasLeadingZero(std::string_view digits) { return digits.size() > 1 && digits[0] == '0'; }

std::optional<uint64_t> CoreNumber(std::string_view digits) {
  if (HasLeadingZero(digits)) return std::nullopt;
  return ParseUint(digits);
}

enum class Zeros { kFree, kNotLeading };

// Identifiers between dots; those of a pre-release that are numbers may not begin with a zero.
bool AreIdentifiers(std::string_view text, Zeros zeros) {
  for (std::string_view identifier : Split(text, '.')) {
    if (identifier.empty() || !std::ranges::all_of(identifier, IsIdentifierCharacter)) return false;
    if (zeros == Zeros::kNotLeading && HasLeadingZero(identifier) &&
        std::ranges::all_of(identifier, IsDigit)) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::optional<SemVer> ParseSemVer(std::string_view text) {
  if (size_t plus = text.find('+'); plus != std::string_view::npos) {
    if (!AreIdentifiers(text.substr(plus + 1), Zeros::kFree)) return std::nullopt;
    text = text.substr(0, plus);
  }
  if (size_t dash = text.find('-'); dash != std::string_view::npos) {
    if (!AreIdentifiers(text.substr(dash + 1), Zeros::kNotLeading)) return std::nullopt;
    text = text.substr(0, dash);
  }
  auto pieces = Split(text, '.');
  if (pieces.size() != 3) return std::nullopt;
  auto major = CoreNumber(pieces[0]);
  auto minor = CoreNumber(pieces[1]);
  auto patch = CoreNumber(pieces[2]);
  if (!major || !minor || !patch) return std::nullopt;
  return SemVer{.major = *major, .minor = *minor, .patch = *patch};
}

}  // namespace kiste::oci
