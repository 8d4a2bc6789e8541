// SPDX-License-Identifier: Apache-2.0
//
// JSON as kiste reads and writes it, over RapidJSON (docs/decisions/0003-json.md says why).
//
// Reading: a Document owns the text and its values; a Value is a view that knows its path
// ("process.user.uid"), so that an error names the file, the field, the value and what was
// expected. Parsing never recurses, and depth and size are bounded: hostile input costs a line.
// Writing: a Writer, to which values are handed in order.
#pragma once

#include <rapidjson/document.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kiste::json {

constexpr size_t kMaxBytes = 16 << 20;  // a configuration is kilobytes; more is a mistake
constexpr int kMaxDepth = 64;           // the specification's deepest value has eight levels

// A value inside a Document, or the absence of one (a missing member or null). Lives no longer
// than its Document. The getters fail with kInvalid and a text like
// `config.json: process.user.uid: expected an unsigned number, found "root"`.
class Value {
 public:
  bool present() const { return value_ != nullptr && !value_->IsNull(); }
  explicit operator bool() const { return present(); }
  bool is_object() const { return present() && value_->IsObject(); }
  bool is_array() const { return present() && value_->IsArray(); }
  bool is_string() const { return present() && value_->IsString(); }
  bool is_number() const { return present() && value_->IsNumber(); }

  // Member `name`; absent when there is none or this is absent. The receiver must be an object:
  // check with ExpectObject() first where the type is the input's choice.
  Value operator[](std::string_view name) const;
  Status ExpectObject() const;
  Result<std::string> String() const;  // no NUL inside: none of our strings may have one
  Result<bool> Bool() const;
  Result<int64_t> Int() const;
  Result<uint64_t> Uint() const;
  Result<uint32_t> Uint32() const;
  Result<int> Int32() const;
  // Optional members: `fallback` when absent.
  Result<std::string> StringOr(std::string_view fallback) const;
  Result<bool> BoolOr(bool fallback) const;
  // An array's elements or an object's members, in order; nothing for an absent value.
  // Stops at the first error that `each` returns.
  Status ForEach(const std::function<Status(const Value&)>& each) const;
  Status ForEachMember(const std::function<Status(std::string_view, const Value&)>& each) const;
  Result<std::vector<std::string>> Strings() const;  // an absent value gives an empty list
  size_t size() const;                               // elements or members; 0 otherwise

  // `<file>: <path>: <what>`.
  std::unexpected<Error> Wrong(std::string_view what) const;
  // `<file>: <path>: expected <what>, found <value>`.
  std::unexpected<Error> Expected(std::string_view what) const;
  std::string path() const;
  // The value as compact JSON text.
  std::string Dump() const;
  const rapidjson::Value* raw() const { return value_; }

 private:
  friend class Document;
  // A path is a chain on the stack's or parent's values: kept as text only when needed.
  Value(const rapidjson::Value* value, const std::string* file, std::string path)
      : value_(value), file_(file), path_(std::move(path)) {}
  const rapidjson::Value* value_;
  const std::string* file_;
  std::string path_;
};

class Document {
 public:
  // Parses `text`; `file` is what errors call it. Fails with kInvalid naming line and column for
  // broken JSON, text after the value, a depth over kMaxDepth, a size over kMaxBytes, invalid
  // UTF-8, or a member named twice.
  static Result<Document> Parse(std::string text, std::string file);
  Document(Document&&) = default;
  Document& operator=(Document&&) = default;

  Value root() const { return Value(&inner_->document, &inner_->file, {}); }

 private:
  Document() = default;
  struct Inner {
    std::string text;  // parsed in place: strings point into it
    std::string file;
    rapidjson::Document document;
  };
  std::unique_ptr<Inner> inner_;
};

using Buffer = rapidjson::StringBuffer;
using CompactWriter = rapidjson::Writer<Buffer>;
using PrettyWriter = rapidjson::PrettyWriter<Buffer>;

// Members in one call each; W is CompactWriter or PrettyWriter.
template <typename W>
void Key(W& writer, std::string_view key) {
  writer.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
}
template <typename W>
void Text(W& writer, std::string_view text) {
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}
template <typename W>
void Member(W& writer, std::string_view key, std::string_view text) {
  Key(writer, key);
  Text(writer, text);
}
template <typename W>
void Member(W& writer, std::string_view key, const char* text) {
  Member(writer, key, std::string_view(text));
}
template <typename W>
void Member(W& writer, std::string_view key, int64_t number) {
  Key(writer, key);
  writer.Int64(number);
}
template <typename W>
void Member(W& writer, std::string_view key, int number) {
  Member(writer, key, static_cast<int64_t>(number));
}
template <typename W>
void Member(W& writer, std::string_view key, uint64_t number) {
  Key(writer, key);
  writer.Uint64(number);
}
template <typename W>
void Member(W& writer, std::string_view key, double number) {
  Key(writer, key);
  writer.Double(number);
}
template <typename W>
void Member(W& writer, std::string_view key, bool value) {
  Key(writer, key);
  writer.Bool(value);
}

}  // namespace kiste::json
