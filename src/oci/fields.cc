// SPDX-License-Identifier: Apache-2.0
#include "oci/fields.h"

#include <algorithm>
#include <limits>

#include "base/strings.h"
#include "oci/number_list.h"

namespace kiste::oci {

using json::Value;

// What `report` says of element `index`.
template <typename Report>
static std::unexpected<Error> AboutElement(const Value& array, size_t index, Report report) {
  size_t at = 0;
  auto stop_there = [&](const Value& element) -> Status {
    if (at++ == index) return report(element);
    return {};
  };
  return std::unexpected(array.ForEach(stop_there).error());
}

std::unexpected<Error> WrongAt(const Value& array, size_t index, std::string_view what) {
  return AboutElement(array, index, [&](const Value& element) { return element.Wrong(what); });
}

std::unexpected<Error> ExpectedAt(const Value& array, size_t index, std::string_view what) {
  return AboutElement(array, index, [&](const Value& element) { return element.Expected(what); });
}

Result<std::optional<bool>> OptionalBool(const Value& value) {
  if (!value) return std::nullopt;
  return TRY(value.Bool());
}

Result<std::optional<int64_t>> OptionalInt(const Value& value) {
  if (!value) return std::nullopt;
  return TRY(value.Int());
}

Result<std::optional<uint64_t>> OptionalUint(const Value& value) {
  if (!value) return std::nullopt;
  return TRY(value.Uint());
}

Result<std::optional<uint32_t>> OptionalUint32(const Value& value) {
  if (!value) return std::nullopt;
  return TRY(value.Uint32());
}

Result<std::string> RequiredString(const Value& value) {
  std::string text = TRY(value.String());
  if (text.empty()) return value.Expected("a string that is not empty");
  return text;
}

Result<std::string> OptionalString(const Value& value) { return value.StringOr(""); }

Result<std::string> AbsolutePath(const Value& value) {
  if (!value.is_string()) return value.Expected("an absolute path");
  std::string path = TRY(value.String());
  if (!path.starts_with('/')) return value.Expected("an absolute path");
  return path;
}

Result<std::vector<std::string>> AbsolutePaths(const Value& value) {
  std::vector<std::string> paths = TRY(value.Strings());
  for (size_t i = 0; i < paths.size(); ++i) {
    if (!paths[i].starts_with('/')) return ExpectedAt(value, i, "an absolute path");
  }
  return paths;
}

Result<int64_t> IntBetween(const Value& value, int64_t low, int64_t high) {
  auto number = value.Int();
  if (!number || *number < low || *number > high) {
    return value.Expected(StrCat("a whole number from ", low, " to ", high));
  }
  return *number;
}

Result<uint32_t> Id(const Value& value) {
  uint32_t id = TRY(value.Uint32());
  if (id == std::numeric_limits<uint32_t>::max()) return value.Expected("an id below 4294967295");
  return id;
}

Result<std::map<std::string, std::string>> StringMap(const Value& value) {
  std::map<std::string, std::string> map;
  auto insert = [&](std::string_view name, const Value& member) -> Status {
    map.emplace(name, TRY(member.String()));
    return {};
  };
  TRY(value.ForEachMember(insert));
  return map;
}

Result<std::string> NumberList(const Value& value) {
  std::string list = TRY(value.StringOr(""));
  for (std::string_view range : Split(list, ',')) {
    range = Trim(range);
    if (!range.empty() && !IsNumberRange(range)) {
      return value.Expected("a list of numbers and ranges like 0-3,7");
    }
  }
  return list;
}

Result<std::string> OneOf(const Value& value, std::span<const std::string_view> words) {
  if (value.is_string()) {
    std::string text = TRY(value.String());
    if (std::ranges::find(words, text) != words.end()) return text;
  }
  std::string expected = "one of ";
  for (size_t i = 0; i < words.size(); ++i) {
    if (i != 0) expected += ", ";
    expected += words[i];
  }
  return value.Expected(expected);
}

Result<bool> HasObject(const Value& value) {
  if (!value) return false;
  TRY(value.ExpectObject());
  return true;
}

}  // namespace kiste::oci
