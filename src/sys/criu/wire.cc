// SPDX-License-Identifier: Apache-2.0
#include "sys/criu/wire.h"

#include "base/strings.h"

namespace kiste::sys::criu {

namespace {

constexpr uint64_t kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;  // wire types
constexpr int kMaxVarint = 10;                                           // bytes
constexpr uint64_t kMaxField = (1 << 29) - 1;

std::unexpected<Error> Broken(std::string_view what) {
  return Invalid(StrCat("message of criu: ", what));
}

// Takes a varint off the front.
Result<uint64_t> TakeVarint(std::string_view& rest) {
  uint64_t value = 0;
  for (int i = 0; i < kMaxVarint; ++i) {
    if (rest.empty()) return Broken("expected a number, found the end");
    auto byte = static_cast<uint8_t>(rest.front());
    rest.remove_prefix(1);
    value |= uint64_t{byte & 0x7fU} << (7 * i);
    if ((byte & 0x80) == 0) return value;
  }
  return Broken("expected a number, found more than ten bytes of it");
}

Result<std::string_view> TakeBytes(std::string_view& rest, uint64_t size) {
  if (size > rest.size()) return Broken(StrCat("expected ", size, " bytes, found ", rest.size()));
  auto bytes = rest.substr(0, size);
  rest.remove_prefix(size);
  return bytes;
}

}  // namespace

void WireWriter::Varint(uint64_t value) {
  while (value >= 0x80) {
    text_ += static_cast<char>((value & 0x7f) | 0x80);
    value >>= 7;
  }
  text_ += static_cast<char>(value);
}

void WireWriter::Number(uint32_t field, uint64_t value) {
  Varint(uint64_t{field} << 3 | kVarint);
  Varint(value);
}

void WireWriter::Bytes(uint32_t field, std::string_view bytes) {
  Varint(uint64_t{field} << 3 | kBytes);
  Varint(bytes.size());
  text_ += bytes;
}

Status ForEachField(std::string_view message,
                    const std::function<Status(const WireField&)>& visit) {
  while (!message.empty()) {
    uint64_t key = TRY(TakeVarint(message));
    if (key >> 3 == 0 || key >> 3 > kMaxField)
      return Broken(StrCat("expected a field's number, found ", key >> 3));
    WireField field{.number = static_cast<uint32_t>(key >> 3)};
    switch (key & 7) {
      case kVarint:
        field.value = TRY(TakeVarint(message));
        break;
      case kBytes:
        field.value = TRY(TakeVarint(message));
        field.bytes = TRY(TakeBytes(message, field.value));
        break;
      case kFixed64:
        TRY(TakeBytes(message, 8));
        continue;
      case kFixed32:
        TRY(TakeBytes(message, 4));
        continue;
      default:
        return Broken(StrCat("unknown wire type ", key & 7));
    }
    TRY(visit(field));
  }
  return {};
}

}  // namespace kiste::sys::criu
