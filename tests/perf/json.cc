// SPDX-License-Identifier: Apache-2.0
#include "json.h"

#include <algorithm>
#include <cstdio>

namespace kiste::perf {
namespace {

constexpr int kMaxDepth = 64;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Json> Document() {
    Json value = TRY(Value(0));
    SkipSpace();
    if (at_ != text_.size()) return Wrong("text after the value");
    return value;
  }

 private:
  Result<Json> Value(int depth) {
    SkipSpace();
    if (depth > kMaxDepth) return Wrong("too deep");
    if (at_ == text_.size()) return Wrong("unexpected end");
    const char first = text_[at_];
    if (first == '{') return ObjectValue(depth);
    if (first == '[') return ArrayValue(depth);
    if (first == '"') return Json(TRY(String()));
    if (Take("true")) return Json(true);
    if (Take("false")) return Json(false);
    if (Take("null")) return Json();
    return NumberValue();
  }

  Result<Json> ObjectValue(int depth) {
    Json object = Json::EmptyObject();
    ++at_;
    for (bool first = true; !TakeAfterSpace("}"); first = false) {
      if (!first && !TakeAfterSpace(",")) return Wrong("expected , or }");
      SkipSpace();
      std::string name = TRY(String());
      if (!TakeAfterSpace(":")) return Wrong("expected :");
      object.Set(name, TRY(Value(depth + 1)));
    }
    return object;
  }

  Result<Json> ArrayValue(int depth) {
    Json::Array array;
    ++at_;
    for (bool first = true; !TakeAfterSpace("]"); first = false) {
      if (!first && !TakeAfterSpace(",")) return Wrong("expected , or ]");
      array.push_back(TRY(Value(depth + 1)));
    }
    return Json(std::move(array));
  }

  Result<Json> NumberValue() {
    const size_t begin = at_;
    while (at_ < text_.size() && std::string_view("+-.eE0123456789").contains(text_[at_])) ++at_;
    if (at_ == begin) return Wrong("unexpected character");
    return Json(Json::Number{std::string(text_.substr(begin, at_ - begin))});
  }

  Result<std::string> String() {
    if (!Take("\"")) return Wrong("expected a string");
    std::string out;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return out;
      if (c != '\\') {
        out += c;
        continue;
      }
      if (at_ == text_.size()) break;
      static constexpr std::string_view kNames = "\"\\/bfnrt";
      static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
      const size_t which = kNames.find(text_[at_++]);
      if (which == std::string_view::npos) return Wrong("escape not supported");
      out += kMeanings[which];
    }
    return Wrong("string without end");
  }

  void SkipSpace() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").contains(text_[at_])) ++at_;
  }
  bool Take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  bool TakeAfterSpace(std::string_view word) {
    SkipSpace();
    return Take(word);
  }
  std::unexpected<Error> Wrong(const std::string& what) const {
    return Fail("JSON, byte " + std::to_string(at_) + ": " + what);
  }

  std::string_view text_;
  size_t at_ = 0;
};

void DumpString(const std::string& text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      out += escape;
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

Json::Json() = default;
Json::Json(bool value) : value_(value) {}
Json::Json(int value) : value_(Number{std::to_string(value)}) {}
Json::Json(Number value) : value_(std::move(value)) {}
Json::Json(const char* value) : value_(std::string(value)) {}
Json::Json(std::string value) : value_(std::move(value)) {}
Json::Json(Array value) : value_(std::move(value)) {}

Json Json::Real(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", value);
  return Json(Number{text});
}

Json Json::EmptyObject() {
  Json object;
  object.value_ = Object{};
  return object;
}

Json Json::Strings(const std::vector<std::string>& values) {
  return Json(Array(values.begin(), values.end()));
}

Result<Json> Json::Parse(std::string_view text) { return Parser(text).Document(); }

const Json* Json::Find(std::string_view name) const {
  const auto* object = std::get_if<Object>(&value_);
  if (!object) return nullptr;
  const auto found = std::ranges::find(*object, name, &Member::name);
  return found == object->end() ? nullptr : &found->value;
}

Json* Json::Find(std::string_view name) {
  return const_cast<Json*>(std::as_const(*this).Find(name));
}

void Json::Set(std::string_view name, Json value) {
  if (Json* found = Find(name)) {
    *found = std::move(value);
  } else {
    std::get<Object>(value_).push_back(Member{std::string(name), std::move(value)});
  }
}

void Json::Erase(std::string_view name) {
  if (auto* object = std::get_if<Object>(&value_)) {
    std::erase_if(*object, [&](const Member& member) { return member.name == name; });
  }
}

const Json::Array& Json::Items() const {
  static const Array kNone;
  const auto* array = std::get_if<Array>(&value_);
  return array ? *array : kNone;
}

std::vector<std::string> Json::StringItems() const {
  std::vector<std::string> out;
  for (const Json& item : Items()) {
    if (const auto* text = std::get_if<std::string>(&item.value_)) out.push_back(*text);
  }
  return out;
}

std::string Json::Text() const {
  const auto* text = std::get_if<std::string>(&value_);
  return text ? *text : std::string();
}

bool Json::IsNull() const { return std::holds_alternative<std::monostate>(value_); }

bool Json::IsNumber() const { return std::holds_alternative<Number>(value_); }

std::string Json::Dump() const {
  std::string out;
  DumpTo(out);
  return out;
}

void Json::DumpTo(std::string& out) const {
  const char* separator = "";
  if (const auto* flag = std::get_if<bool>(&value_)) {
    out += *flag ? "true" : "false";
  } else if (const auto* number = std::get_if<Number>(&value_)) {
    out += number->text;
  } else if (const auto* text = std::get_if<std::string>(&value_)) {
    DumpString(*text, out);
  } else if (const auto* array = std::get_if<Array>(&value_)) {
    out += '[';
    for (const Json& item : *array) {
      out += std::exchange(separator, ",");
      item.DumpTo(out);
    }
    out += ']';
  } else if (const auto* object = std::get_if<Object>(&value_)) {
    out += '{';
    for (const Member& member : *object) {
      out += std::exchange(separator, ",");
      DumpString(member.name, out);
      out += ':';
      member.value.DumpTo(out);
    }
    out += '}';
  } else {
    out += "null";
  }
}

}  // namespace kiste::perf
