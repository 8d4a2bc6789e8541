// SPDX-License-Identifier: Apache-2.0
//
// A D-Bus message (D-Bus specification, "Message Protocol"): its header as fields, its body as
// bytes that are read when somebody wants them. Written in little endian, read in both orders.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/dbus/value.h"

namespace kiste::sys::dbus {

enum class MessageType : uint8_t { kMethodCall = 1, kMethodReturn, kError, kSignal };

struct Message {
  MessageType type = MessageType::kMethodCall;
  uint32_t serial = 0, reply_serial = 0;
  std::string path, interface, member, error_name, destination, sender;
  std::string signature, body;  // the body's types, and its bytes in `order`
  ByteOrder order = ByteOrder::kLittle;

  void SetBody(const std::vector<Value>& values);
  Result<std::vector<Value>> Body() const;
};

// How many bytes of a message say how long it is.
constexpr size_t kMessageStart = 16;
// The specification allows 128 MiB; nothing that is asked for here comes near this.
constexpr size_t kMaxMessage = 4 << 20;

std::string WriteMessage(const Message& message);
// The length of the whole message of which `start` is the beginning (kMessageStart bytes).
Result<size_t> MessageSize(std::string_view start);
// Precondition: `bytes` is as long as MessageSize says. kInvalid for what is not a message of
// version 1 with the fields that its type needs; unknown fields and types are passed over.
Result<Message> ReadMessage(std::string_view bytes);

}  // namespace kiste::sys::dbus
