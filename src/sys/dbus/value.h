// SPDX-License-Identifier: Apache-2.0
//
// D-Bus's type system (D-Bus specification, "Type System" and "Marshalling"): signatures, values,
// and their bytes. A Value carries its signature, one complete type, so that what is read and what
// is written needs no schema: Read(Write(value)) is the value.
//
// Whatever is read comes from another process: every length is compared with what is there, nesting
// with the specification's limits, and memory grows with the bytes that were really received.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace kiste::sys::dbus {

struct Value {
  std::string signature;
  // y b n q i u x t h: the number in two's complement, of the type's width; d: double; s o g: text;
  // a ( {: the elements; v: one element, the value inside.
  std::variant<uint64_t, double, std::string, std::vector<Value>> content;

  bool operator==(const Value&) const = default;
};

Value Bool(bool value);
Value Uint32(uint32_t value);
Value Uint64(uint64_t value);
Value String(std::string value);
Value Variant(Value inside);
Value Struct(std::vector<Value> members);
// An array whose elements are of the type `element`, also when it is empty.
Value Array(std::string_view element, std::vector<Value> elements);
Value Strings(const std::vector<std::string>& texts);
Value Bytes(const std::vector<uint8_t>& bytes);

// The number of a value whose signature is one of y b q u t h, the text of one of s o g; kInvalid
// naming `what` when the value is another.
Result<uint64_t> NumberOf(const Value& value, std::string_view what);
Result<std::string> TextOf(const Value& value, std::string_view what);

// The length of the complete type at the beginning of `signature`; 0 when none is there.
size_t CompleteType(std::string_view signature);
// Whether `signature` is a sequence of complete types within the specification's limits (255 bytes,
// arrays and structs nested 32 deep each).
bool IsSignature(std::string_view signature);

// Appends `value`; alignment counts from the beginning of `bytes`. Precondition: the signature is
// valid and the content is of its kind.
void Write(const Value& value, std::string& bytes);
void Align(size_t boundary, std::string& bytes);

enum class ByteOrder { kLittle, kBig };

// Reads values one after the other; alignment counts from the beginning of `bytes`, which must
// outlive the reader.
class Reader {
 public:
  Reader(std::string_view bytes, ByteOrder order) : bytes_(bytes), order_(order) {}

  // One value of each complete type in `signature`. kInvalid says what is wrong and where.
  Result<std::vector<Value>> Read(std::string_view signature);
  // Skips to a multiple of `boundary`; what is skipped must be there and be zero.
  Status Align(size_t boundary);
  size_t position() const { return position_; }
  size_t left() const { return bytes_.size() - position_; }

 private:
  Result<Value> ReadOne(std::string_view type, int depth);
  Result<Value> ReadArray(std::string_view type, int depth);
  Result<Value> ReadMembers(std::string_view type, int depth);
  Result<Value> ReadVariant(int depth);
  Result<uint64_t> ReadNumber(size_t width);
  Result<std::string> ReadText(size_t length);
  std::unexpected<Error> Broken(std::string_view what) const;

  std::string_view bytes_;
  ByteOrder order_;
  size_t position_ = 0;
};

}  // namespace kiste::sys::dbus
