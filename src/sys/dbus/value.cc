// SPDX-License-Identifier: Apache-2.0
#include "sys/dbus/value.h"

#include <bit>
#include <cstring>

#include "base/strings.h"

namespace kiste::sys::dbus {

namespace {

constexpr size_t kMaxSignature = 255;
constexpr int kMaxNesting = 32;  // of arrays, and of structs, in one signature
constexpr int kMaxDepth = 64;    // of values in values, variants included
constexpr size_t kMaxArray = 1 << 26;

// The width of a type that is a number, which is also its alignment; 0 for others.
size_t Width(char type) {
  switch (type) {
    case 'y':
      return 1;
    case 'n':
    case 'q':
      return 2;
    case 'b':
    case 'i':
    case 'u':
    case 'h':
      return 4;
    case 'x':
    case 't':
    case 'd':
      return 8;
    default:
      return 0;
  }
}

size_t Alignment(char type) {
  if (size_t width = Width(type)) return width;
  switch (type) {
    case '(':
    case '{':
      return 8;
    case 's':
    case 'o':
    case 'a':
      return 4;
    default:  // g, v
      return 1;
  }
}

bool IsBasic(char type) { return Width(type) != 0 || type == 's' || type == 'o' || type == 'g'; }

size_t TypeLength(std::string_view signature, int arrays, int structs);

// "{kv}" is there only as an array's element, with a basic type as its key.
size_t EntryLength(std::string_view entry, int arrays, int structs) {
  if (entry.size() < 4 || !IsBasic(entry[1])) return 0;
  size_t value = TypeLength(entry.substr(2), arrays, structs + 1);
  return value != 0 && 2 + value < entry.size() && entry[2 + value] == '}' ? value + 3 : 0;
}

size_t TypeLength(std::string_view signature, int arrays, int structs) {
  if (signature.empty() || arrays > kMaxNesting || structs > kMaxNesting) return 0;
  char type = signature[0];
  if (IsBasic(type) || type == 'v') return 1;
  if (type == 'a') {
    auto element = signature.substr(1);
    size_t length = element.starts_with('{') ? EntryLength(element, arrays + 1, structs)
                                             : TypeLength(element, arrays + 1, structs);
    return length == 0 ? 0 : length + 1;
  }
  if (type != '(') return 0;
  size_t end = 1;
  while (end < signature.size() && signature[end] != ')') {
    size_t member = TypeLength(signature.substr(end), arrays, structs + 1);
    if (member == 0) return 0;
    end += member;
  }
  return end > 1 && end < signature.size() ? end + 1 : 0;
}

void WriteNumber(uint64_t number, size_t width, std::string& bytes) {
  Align(width, bytes);
  for (size_t i = 0; i < width; ++i) bytes += static_cast<char>(number >> (8 * i));
}

void WriteText(const std::string& text, size_t width, std::string& bytes) {
  WriteNumber(text.size(), width, bytes);
  bytes += text;
  bytes += '\0';
}

void WriteArray(const Value& array, std::string& bytes) {
  WriteNumber(0, 4, bytes);
  size_t length_at = bytes.size() - 4;
  Align(Alignment(array.signature[1]), bytes);  // not counted in the length
  size_t start = bytes.size();
  for (const auto& element : std::get<std::vector<Value>>(array.content)) Write(element, bytes);
  size_t length = bytes.size() - start;
  for (size_t i = 0; i < 4; ++i) bytes[length_at + i] = static_cast<char>(length >> (8 * i));
}

Value Number(char type, uint64_t number) { return {std::string(1, type), number}; }

}  // namespace

Value Bool(bool value) { return Number('b', value ? 1 : 0); }
Value Uint32(uint32_t value) { return Number('u', value); }
Value Uint64(uint64_t value) { return Number('t', value); }
Value String(std::string value) { return {"s", std::move(value)}; }

Value Variant(Value inside) {
  std::vector<Value> content;
  content.push_back(std::move(inside));
  return {"v", std::move(content)};
}

Value Struct(std::vector<Value> members) {
  std::string signature = "(";
  for (const auto& member : members) signature += member.signature;
  return {signature + ")", std::move(members)};
}

Value Array(std::string_view element, std::vector<Value> elements) {
  return {StrCat("a", element), std::move(elements)};
}

Value Strings(const std::vector<std::string>& texts) {
  std::vector<Value> elements;
  for (const auto& text : texts) elements.push_back(String(text));
  return Array("s", std::move(elements));
}

Value Bytes(const std::vector<uint8_t>& bytes) {
  std::vector<Value> elements;
  for (uint8_t byte : bytes) elements.push_back(Number('y', byte));
  return Array("y", std::move(elements));
}

Result<uint64_t> NumberOf(const Value& value, std::string_view what) {
  const auto* number = std::get_if<uint64_t>(&value.content);
  if (number != nullptr && std::string_view("ybquth").find(value.signature) != std::string::npos)
    return *number;
  return Invalid(StrCat(what, ": expected an unsigned number, found type ", value.signature));
}

Result<std::string> TextOf(const Value& value, std::string_view what) {
  if (const auto* text = std::get_if<std::string>(&value.content)) return *text;
  return Invalid(StrCat(what, ": expected a text, found type ", value.signature));
}

size_t CompleteType(std::string_view signature) { return TypeLength(signature, 0, 0); }

bool IsSignature(std::string_view signature) {
  if (signature.size() > kMaxSignature) return false;
  while (!signature.empty()) {
    size_t length = CompleteType(signature);
    if (length == 0) return false;
    signature.remove_prefix(length);
  }
  return true;
}

void Align(size_t boundary, std::string& bytes) {
  bytes.append((boundary - bytes.size() % boundary) % boundary, '\0');
}

void Write(const Value& value, std::string& bytes) {
  char type = value.signature[0];
  if (type == 'd') {
    return WriteNumber(std::bit_cast<uint64_t>(std::get<double>(value.content)), 8, bytes);
  }
  if (size_t width = Width(type)) {
    return WriteNumber(std::get<uint64_t>(value.content), width, bytes);
  }
  if (type == 'g') return WriteText(std::get<std::string>(value.content), 1, bytes);
  if (type == 's' || type == 'o') return WriteText(std::get<std::string>(value.content), 4, bytes);
  if (type == 'a') return WriteArray(value, bytes);
  const auto& members = std::get<std::vector<Value>>(value.content);
  if (type == 'v') WriteText(members[0].signature, 1, bytes);
  if (type != 'v') Align(8, bytes);
  for (const auto& member : members) Write(member, bytes);
}

std::unexpected<Error> Reader::Broken(std::string_view what) const {
  return Invalid(StrCat("D-Bus message: ", what, " at byte ", position_, " of ", bytes_.size()));
}

Status Reader::Align(size_t boundary) {
  for (; position_ % boundary != 0; ++position_) {
    if (left() == 0) return Broken("the end instead of padding");
    if (bytes_[position_] != 0) return Broken("padding that is not zero");
  }
  return {};
}

Result<uint64_t> Reader::ReadNumber(size_t width) {
  TRY(Align(width));
  if (left() < width) return Broken("the end inside a number");
  uint64_t number = 0;
  for (size_t i = 0; i < width; ++i) {
    size_t shift = 8 * (order_ == ByteOrder::kLittle ? i : width - 1 - i);
    number |= uint64_t{static_cast<uint8_t>(bytes_[position_ + i])} << shift;
  }
  position_ += width;
  return number;
}

Result<std::string> Reader::ReadText(size_t length) {
  if (left() == 0 || length > left() - 1) return Broken("a text longer than the message");
  std::string text(bytes_.substr(position_, length));
  if (bytes_[position_ + length] != 0 || text.find('\0') != std::string::npos) {
    return Broken("a text with its end at the wrong place");
  }
  position_ += length + 1;
  return text;
}

Result<Value> Reader::ReadArray(std::string_view type, int depth) {
  size_t length = TRY(ReadNumber(4));
  TRY(Align(Alignment(type[1])));
  if (length > kMaxArray || length > left()) return Broken("an array longer than the message");
  size_t end = position_ + length;
  std::vector<Value> elements;
  // Each element has a byte at least, so this ends.
  while (position_ < end) elements.push_back(TRY(ReadOne(type.substr(1), depth + 1)));
  if (position_ != end) return Broken("an array that ends inside an element");
  return Value{std::string(type), std::move(elements)};
}

Result<Value> Reader::ReadMembers(std::string_view type, int depth) {
  TRY(Align(8));
  std::vector<Value> members;
  std::string_view inside = type.substr(1, type.size() - 2);
  while (!inside.empty()) {
    size_t length = CompleteType(inside);
    members.push_back(TRY(ReadOne(inside.substr(0, length), depth + 1)));
    inside.remove_prefix(length);
  }
  return Value{std::string(type), std::move(members)};
}

Result<Value> Reader::ReadVariant(int depth) {
  size_t length = TRY(ReadNumber(1));
  std::string type = TRY(ReadText(length));
  if (type.empty() || CompleteType(type) != type.size()) {
    return Broken(StrCat("a variant of the impossible type ", Quote(type)));
  }
  return Variant(TRY(ReadOne(type, depth + 1)));
}

// Precondition: `type` is one complete type, or a dictionary's entry.
Result<Value> Reader::ReadOne(std::string_view type, int depth) {
  if (depth > kMaxDepth) return Broken("values nested too deeply");
  char code = type[0];
  if (code == 'a') return ReadArray(type, depth);
  if (code == '(' || code == '{') return ReadMembers(type, depth);
  if (code == 'v') return ReadVariant(depth);
  if (code == 's' || code == 'o' || code == 'g') {
    size_t length = TRY(ReadNumber(code == 'g' ? 1 : 4));
    std::string text = TRY(ReadText(length));
    if (code == 'g' && !IsSignature(text)) return Broken("an impossible signature");
    return Value{std::string(type), std::move(text)};
  }
  uint64_t number = TRY(ReadNumber(Width(code)));
  if (code == 'b' && number > 1) return Broken("a boolean that is neither 0 nor 1");
  if (code == 'd') return Value{std::string(type), std::bit_cast<double>(number)};
  return Value{std::string(type), number};
}

Result<std::vector<Value>> Reader::Read(std::string_view signature) {
  if (!IsSignature(signature)) return Broken(StrCat("the signature ", Quote(signature)));
  std::vector<Value> values;
  while (!signature.empty()) {
    size_t length = CompleteType(signature);
    values.push_back(TRY(ReadOne(signature.substr(0, length), 0)));
    signature.remove_prefix(length);
  }
  return values;
}

}  // namespace kiste::sys::dbus
