// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <rapidjson/error/en.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <memory>

#include "base/strings.h"

namespace kiste::json {

namespace {

constexpr unsigned kParseFlags = rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag |
                                 rapidjson::kParseValidateEncodingFlag;

constexpr size_t kLongestSequence = 4;  // bytes of UTF-8

std::string_view View(const rapidjson::Value& text) {
  return {text.GetString(), text.GetStringLength()};
}

// A member's name as errors show it: one that would break the line is quoted.
std::string ShownName(std::string_view name) {
  for (char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return Quote(name);
  }
  return std::string(name);
}

std::string ChildPath(const std::string& parent, std::string_view name) {
  return parent.empty() ? ShownName(name) : StrCat(parent, ".", ShownName(name));
}

// The name that stands twice in `object`, or "".
std::string_view DuplicateMember(const rapidjson::Value& object) {
  std::vector<std::string_view> names;
  names.reserve(object.MemberCount());
  for (const auto& member : object.GetObject()) names.push_back(View(member.name));
  std::sort(names.begin(), names.end());
  auto twice = std::adjacent_find(names.begin(), names.end());
  return twice == names.end() ? std::string_view() : *twice;
}

// Checks depth and duplicate members below `value`; recursion ends at kMaxDepth.
Status CheckShape(const rapidjson::Value& value, int depth, const std::string& path) {
  if (depth > kMaxDepth) return Invalid(StrCat(path, ": nested deeper than ", kMaxDepth));
  if (value.IsObject()) {
    if (auto name = DuplicateMember(value); !name.empty()) {
      return Invalid(StrCat(ChildPath(path, name), ": this member stands twice"));
    }
    for (const auto& member : value.GetObject()) {
      if (member.value.IsObject() || member.value.IsArray()) {
        TRY(CheckShape(member.value, depth + 1, ChildPath(path, View(member.name))));
      }
    }
  } else if (value.IsArray()) {
    for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
      if (value[i].IsObject() || value[i].IsArray()) {
        TRY(CheckShape(value[i], depth + 1, StrCat(path, "[", i, "]")));
      }
    }
  }
  return {};
}

// `line 3, column 14` of byte `offset`.
std::string Position(std::string_view text, size_t offset) {
  offset = std::min(offset, text.size());
  auto before = text.substr(0, offset);
  auto line = std::count(before.begin(), before.end(), '\n') + 1;
  auto line_start = before.rfind('\n');
  size_t column = line_start == std::string_view::npos ? offset + 1 : offset - line_start;
  return StrCat("line ", line, ", column ", column);
}

// The value of the four hexadecimal digits at the start of `text`, or 0.
unsigned FourHexDigits(std::string_view text) {
  unsigned value = 0;
  auto digits = text.substr(0, 4);
  auto [end, error] = std::from_chars(digits.begin(), digits.end(), value, 16);
  return error == std::errc() && end == digits.begin() + 4 ? value : 0;
}

// Where a low surrogate is escaped with no high one before it (RFC 8259 section 8.2), or npos.
// RapidJSON refuses the high one alone, but writes this one as three bytes that are no UTF-8.
size_t LoneLowSurrogate(std::string_view text) {
  constexpr size_t kEscape = 6;  // \uXXXX
  for (size_t at = text.find('\\'); at != std::string_view::npos; at = text.find('\\', at)) {
    auto rest = text.substr(at + 1);
    unsigned unit = rest.starts_with('u') ? FourHexDigits(rest.substr(1)) : 0;
    if (unit >= 0xdc00 && unit <= 0xdfff) return at;
    at += unit >= 0xd800 && unit <= 0xdbff ? 2 * kEscape : 2;
  }
  return std::string_view::npos;
}

}  // namespace

Result<Document> Document::Parse(std::string text, std::string file) {
  if (text.size() > kMaxBytes) {
    return Invalid(StrCat(file, ": ", text.size(), " bytes, expected at most ", kMaxBytes));
  }
  if (auto at = LoneLowSurrogate(text); at != std::string_view::npos) {
    return Invalid(StrCat(file, ": invalid JSON at ", Position(text, at),
                          ": the second half of a surrogate pair without the first"));
  }
  Document parsed;
  parsed.inner_ = std::make_unique<Inner>();
  Inner& inner = *parsed.inner_;
  inner.text = std::move(text);
  // RapidJSON takes what follows the first byte of a UTF-8 sequence without looking for the end,
  // and writes it back: the longest sequence must find room behind the text.
  inner.text.append(kLongestSequence - 1, '\0');
  inner.file = std::move(file);
  inner.document.ParseInsitu<kParseFlags>(inner.text.data());
  if (inner.document.HasParseError()) {
    // Parsing in place destroys only what it has read: lines are counted as far as they survive.
    return Invalid(StrCat(inner.file, ": invalid JSON at ",
                          Position(inner.text, inner.document.GetErrorOffset()), ": ",
                          rapidjson::GetParseError_En(inner.document.GetParseError())));
  }
  if (auto shape = CheckShape(inner.document, 0, {}); !shape) {
    return Context(std::move(shape), inner.file);
  }
  return parsed;
}

Value Value::operator[](std::string_view name) const {
  const rapidjson::Value* found = nullptr;
  if (is_object()) {
    rapidjson::Value key(
        rapidjson::StringRef(name.data(), static_cast<rapidjson::SizeType>(name.size())));
    auto at = value_->FindMember(key);
    if (at != value_->MemberEnd()) found = &at->value;
  }
  return Value(found, file_, ChildPath(path_, name));
}

std::string Value::path() const { return path_.empty() ? "(top)" : path_; }

std::string Value::Dump() const {
  if (value_ == nullptr) return "nothing";
  Buffer buffer;
  CompactWriter writer(buffer);
  value_->Accept(writer);
  return buffer.GetString();
}

std::unexpected<Error> Value::Wrong(std::string_view what) const {
  return Invalid(StrCat(*file_, ": ", path(), ": ", what));
}

std::unexpected<Error> Value::Expected(std::string_view what) const {
  constexpr size_t kShown = 120;
  std::string found = Dump();
  if (found.size() > kShown) found = found.substr(0, kShown) + "…";
  return Wrong(StrCat("expected ", what, ", found ", found));
}

Status Value::ExpectObject() const {
  if (!is_object()) return Expected("an object");
  return {};
}

Result<std::string> Value::String() const {
  if (!is_string()) return Expected("a string");
  std::string text(View(*value_));
  if (text.find('\0') != std::string::npos) return Expected("a string without a NUL character");
  return text;
}

Result<bool> Value::Bool() const {
  if (!present() || !value_->IsBool()) return Expected("true or false");
  return value_->GetBool();
}

Result<int64_t> Value::Int() const {
  if (!present() || !value_->IsInt64()) return Expected("a whole number of 64 bits");
  return value_->GetInt64();
}

Result<uint64_t> Value::Uint() const {
  if (!present() || !value_->IsUint64()) return Expected("an unsigned number of 64 bits");
  return value_->GetUint64();
}

Result<uint32_t> Value::Uint32() const {
  if (!present() || !value_->IsUint()) return Expected("an unsigned number of 32 bits");
  return value_->GetUint();
}

Result<int> Value::Int32() const {
  if (!present() || !value_->IsInt()) return Expected("a whole number of 32 bits");
  return value_->GetInt();
}

Result<std::string> Value::StringOr(std::string_view fallback) const {
  if (!present()) return std::string(fallback);
  return String();
}

Result<bool> Value::BoolOr(bool fallback) const {
  if (!present()) return fallback;
  return Bool();
}

size_t Value::size() const {
  if (is_array()) return value_->Size();
  if (is_object()) return value_->MemberCount();
  return 0;
}

Status Value::ForEach(const std::function<Status(const Value&)>& each) const {
  if (!present()) return {};
  if (!is_array()) return Expected("an array");
  for (rapidjson::SizeType i = 0; i < value_->Size(); ++i) {
    TRY(each(Value(&(*value_)[i], file_, StrCat(path_, "[", i, "]"))));
  }
  return {};
}

Status Value::ForEachMember(
    const std::function<Status(std::string_view, const Value&)>& each) const {
  if (!present()) return {};
  TRY(ExpectObject());
  for (const auto& member : value_->GetObject()) {
    auto name = View(member.name);
    if (name.find('\0') != std::string_view::npos)
      return Wrong("a member's name has a NUL character");
    TRY(each(name, Value(&member.value, file_, ChildPath(path_, name))));
  }
  return {};
}

Result<std::vector<std::string>> Value::Strings() const {
  std::vector<std::string> strings;
  if (!present()) return strings;
  if (!is_array()) return Expected("an array of strings");
  strings.reserve(value_->Size());
  for (rapidjson::SizeType i = 0; i < value_->Size(); ++i) {
    const auto& element = (*value_)[i];
    if (!element.IsString() || View(element).find('\0') != std::string_view::npos) {
      return Value(&element, file_, StrCat(path_, "[", i, "]"))
          .Expected("a string without a NUL character");
    }
    strings.emplace_back(View(element));
  }
  return strings;
}

}  // namespace kiste::json
