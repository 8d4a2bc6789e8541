// SPDX-License-Identifier: Apache-2.0
//
// The wire format of Protocol Buffers, as far as CRIU's messages (rpc.h) use it: a message is a row
// of fields, each a key (number and wire type) and a value: a varint (numbers, booleans, enums) or
// bytes behind their length (strings, messages). https://protobuf.dev/programming-guides/encoding
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kiste::sys::criu {

// Builds one message; nothing is left out, not even a value that is the default.
class WireWriter {
 public:
  void Number(uint32_t field, uint64_t value);
  // int32 and enums: a negative number takes ten bytes, as it does in every implementation.
  void Signed(uint32_t field, int64_t value) { Number(field, static_cast<uint64_t>(value)); }
  void Bytes(uint32_t field, std::string_view bytes);
  const std::string& text() const { return text_; }

 private:
  void Varint(uint64_t value);
  std::string text_;
};

struct WireField {
  uint32_t number = 0;
  uint64_t value = 0;      // of a varint; or how many bytes
  std::string_view bytes;  // of a string or message; points into the message
};

// Calls `visit` for each field in the order of the message; fields of 32 and 64 bits, which CRIU
// does not send, are passed over. kInvalid when the bytes are no message.
Status ForEachField(std::string_view message, const std::function<Status(const WireField&)>& visit);

}  // namespace kiste::sys::criu
