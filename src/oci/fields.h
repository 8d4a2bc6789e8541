// SPDX-License-Identifier: Apache-2.0
//
// Reading one member of a JSON object in the forms that the runtime-spec uses again and again:
// optional numbers (absent and null are the same, and never 0), required and absolute strings,
// numbers in a range, names out of a table, lists and maps. Used by the parse_*.cc files.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "oci/name_table.h"

namespace kiste::oci {

// nullopt when absent or null.
Result<std::optional<bool>> OptionalBool(const json::Value& value);
Result<std::optional<int64_t>> OptionalInt(const json::Value& value);
Result<std::optional<uint64_t>> OptionalUint(const json::Value& value);
Result<std::optional<uint32_t>> OptionalUint32(const json::Value& value);

// A string that must be there and not be empty.
Result<std::string> RequiredString(const json::Value& value);
// "" when absent.
Result<std::string> OptionalString(const json::Value& value);
// A string that must be there and begin with a slash.
Result<std::string> AbsolutePath(const json::Value& value);
Result<std::vector<std::string>> AbsolutePaths(const json::Value& value);
// An integer that must be there, `low` and `high` included.
Result<int64_t> IntBetween(const json::Value& value, int64_t low, int64_t high);
// A user or group id: 32 bits, but not the all-ones that system calls read as "leave it alone".
Result<uint32_t> Id(const json::Value& value);
Result<std::map<std::string, std::string>> StringMap(const json::Value& value);
// A list of numbers like "0-3,7", as cpus and memory nodes are named; "" when absent.
Result<std::string> NumberList(const json::Value& value);
// An error about element `index` of `array`, which is there: `<path>[index]: <what>`, and the same
// with `expected <what>, found <value>`.
std::unexpected<Error> WrongAt(const json::Value& array, size_t index, std::string_view what);
std::unexpected<Error> ExpectedAt(const json::Value& array, size_t index, std::string_view what);
// Whether an optional object is there; fails when it is there and no object.
Result<bool> HasObject(const json::Value& value);

// A string that must be there and be one of `words`.
Result<std::string> OneOf(const json::Value& value, std::span<const std::string_view> words);

// The number of a name that must be there and in `table`; else the error lists the table.
template <typename T, size_t N>
Result<T> Named(const json::Value& value, const NameTable<T, N>& table) {
  if (value.is_string()) {
    const auto& raw = *value.raw();
    if (auto found = Find(table, {raw.GetString(), raw.GetStringLength()})) return *found;
  }
  return value.Expected("one of " + JoinNames(table));
}

// The elements of an optional array, each read by `read`: Value → Result<T>.
template <typename Read>
auto ListOf(const json::Value& array, Read read)
    -> Result<std::vector<typename std::invoke_result_t<Read, const json::Value&>::value_type>> {
  std::vector<typename std::invoke_result_t<Read, const json::Value&>::value_type> list;
  list.reserve(array.size());
  auto append = [&](const json::Value& element) -> Status {
    list.push_back(TRY(read(element)));
    return {};
  };
  TRY(array.ForEach(append));
  return list;
}

}  // namespace kiste::oci
