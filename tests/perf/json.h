// SPDX-License-Identifier: Apache-2.0
// JSON (RFC 8259) as a value: enough to read a seccomp profile and to write config.json and
// results. Numbers are kept as they were written, so that 64-bit values pass unchanged.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "result.h"

namespace kiste::perf {

class Json {
 public:
  struct Number {
    std::string text;
  };
  struct Member;
  using Array = std::vector<Json>;
  using Object = std::vector<Member>;

  Json();
  // NOLINTBEGIN(google-explicit-constructor): a value of any of these kinds is a JSON value.
  Json(bool value);
  Json(int value);
  Json(Number value);
  Json(const char* value);
  Json(std::string value);
  Json(Array value);
  // NOLINTEND(google-explicit-constructor)
  static Json Real(double value);
  static Json EmptyObject();
  static Json Strings(const std::vector<std::string>& values);

  // The whole text must be one value; errors name the byte where it went wrong.
  static Result<Json> Parse(std::string_view text);
  std::string Dump() const;

  // Null when this is not an object or has no such member.
  const Json* Find(std::string_view name) const;
  Json* Find(std::string_view name);
  // Adds or replaces. This must be an object.
  void Set(std::string_view name, Json value);
  void Erase(std::string_view name);

  const Array& Items() const;                    // empty when not an array
  std::vector<std::string> StringItems() const;  // the strings of an array
  std::string Text() const;                      // empty when not a string
  bool IsNull() const;
  bool IsNumber() const;

 private:
  void DumpTo(std::string& out) const;
  std::variant<std::monostate, bool, Number, std::string, Array, Object> value_;
};

struct Json::Member {
  std::string name;
  Json value;
};

}  // namespace kiste::perf
