// SPDX-License-Identifier: Apache-2.0
#include "sys/dbus/message.h"

#include <variant>

#include "base/strings.h"

namespace kiste::sys::dbus {

namespace {

constexpr uint8_t kVersion = 1;
constexpr char kFieldsSignature[] = "a(yv)";

enum Field : uint8_t {
  kPath = 1,
  kInterface,
  kMember,
  kErrorName,
  kReplySerial,
  kDestination,
  kSender,
  kSignature,
};

Value FieldValue(Field code, Value value) {
  return Struct({Value{"y", uint64_t{code}}, Variant(std::move(value))});
}

Value HeaderFields(const Message& message) {
  std::vector<Value> fields;
  auto text = [&](Field code, char type, const std::string& value) {
    if (!value.empty()) fields.push_back(FieldValue(code, Value{std::string(1, type), value}));
  };
  text(kPath, 'o', message.path);
  text(kInterface, 's', message.interface);
  text(kMember, 's', message.member);
  text(kErrorName, 's', message.error_name);
  if (message.reply_serial != 0)
    fields.push_back(FieldValue(kReplySerial, Uint32(message.reply_serial)));
  text(kDestination, 's', message.destination);
  text(kSender, 's', message.sender);
  text(kSignature, 'g', message.signature);
  return Array("(yv)", std::move(fields));
}

// Where a text field belongs, and of what type it must be.
std::string* TextField(Message& message, uint64_t code, std::string_view& type) {
  type = code == kPath ? "o" : code == kSignature ? "g" : "s";
  switch (code) {
    case kPath:
      return &message.path;
    case kInterface:
      return &message.interface;
    case kMember:
      return &message.member;
    case kErrorName:
      return &message.error_name;
    case kDestination:
      return &message.destination;
    case kSender:
      return &message.sender;
    case kSignature:
      return &message.signature;
    default:
      return nullptr;
  }
}

Status TakeField(const Value& field, Message& message) {
  const auto& members = std::get<std::vector<Value>>(field.content);
  uint64_t code = std::get<uint64_t>(members[0].content);
  const Value& value = std::get<std::vector<Value>>(members[1].content)[0];
  std::string_view type = "u";
  std::string* text = TextField(message, code, type);
  if (text == nullptr && code != kReplySerial) return {};
  if (code == kReplySerial) type = "u";
  if (value.signature != type) {
    return Invalid(StrCat("D-Bus message: header field ", code, ": expected type ", type,
                          ", found ", value.signature));
  }
  if (text != nullptr) {
    *text = std::get<std::string>(value.content);
  } else {
    message.reply_serial = static_cast<uint32_t>(std::get<uint64_t>(value.content));
  }
  return {};
}

Status CheckFields(const Message& message) {
  bool complete = true;
  switch (message.type) {
    case MessageType::kMethodCall:
      complete = !message.path.empty() && !message.member.empty();
      break;
    case MessageType::kMethodReturn:
      complete = message.reply_serial != 0;
      break;
    case MessageType::kError:
      complete = message.reply_serial != 0 && !message.error_name.empty();
      break;
    case MessageType::kSignal:
      complete = !message.path.empty() && !message.interface.empty() && !message.member.empty();
      break;
  }
  if (complete) return {};
  return Invalid(StrCat("D-Bus message of type ", static_cast<int>(message.type),
                        ": a header field that it needs is missing"));
}

Result<ByteOrder> OrderOf(std::string_view start) {
  if (start[0] == 'l') return ByteOrder::kLittle;
  if (start[0] == 'B') return ByteOrder::kBig;
  return Invalid(
      StrCat("D-Bus message: expected the byte order l or B, found ", Quote(start.substr(0, 1))));
}

}  // namespace

void Message::SetBody(const std::vector<Value>& values) {
  signature.clear();
  body.clear();
  for (const auto& value : values) {
    signature += value.signature;
    Write(value, body);
  }
}

Result<std::vector<Value>> Message::Body() const {
  Reader reader(body, order);
  auto values = TRY(reader.Read(signature));
  if (reader.left() != 0) return Invalid("D-Bus message: more bytes than its signature says");
  return values;
}

std::string WriteMessage(const Message& message) {
  std::string bytes;
  bytes += 'l';
  bytes += static_cast<char>(message.type);
  bytes += '\0';  // flags
  bytes += static_cast<char>(kVersion);
  Write(Uint32(static_cast<uint32_t>(message.body.size())), bytes);
  Write(Uint32(message.serial), bytes);
  Write(HeaderFields(message), bytes);
  Align(8, bytes);
  return bytes + message.body;
}

Result<size_t> MessageSize(std::string_view start) {
  if (start.size() < kMessageStart) return Invalid("D-Bus message: too short for a header");
  Reader reader(start, TRY(OrderOf(start)));
  auto values = TRY(reader.Read("yyyyuuu"));
  auto number = [&](size_t i) { return std::get<uint64_t>(values[i].content); };
  if (number(3) != kVersion) {
    return Invalid(StrCat("D-Bus message: expected protocol version 1, found ", number(3)));
  }
  uint64_t fields = (number(6) + 7) / 8 * 8;
  uint64_t size = kMessageStart + fields + number(4);
  if (size > kMaxMessage) {
    return Invalid(StrCat("D-Bus message: ", size, " bytes, more than the ", kMaxMessage,
                          " that are accepted"));
  }
  return static_cast<size_t>(size);
}

Result<Message> ReadMessage(std::string_view bytes) {
  size_t size = TRY(MessageSize(bytes));
  if (size != bytes.size()) return Invalid("D-Bus message: not as long as its header says");
  Message message;
  message.order = TRY(OrderOf(bytes));
  Reader reader(bytes, message.order);
  auto start = TRY(reader.Read("yyyyuu"));
  message.type = static_cast<MessageType>(std::get<uint64_t>(start[1].content));
  message.serial = static_cast<uint32_t>(std::get<uint64_t>(start[5].content));
  if (message.serial == 0) return Invalid("D-Bus message: the serial number is 0");
  auto fields = TRY(reader.Read(kFieldsSignature));
  for (const auto& field : std::get<std::vector<Value>>(fields[0].content)) {
    TRY(TakeField(field, message));
  }
  TRY(reader.Align(8));
  message.body = bytes.substr(reader.position());
  TRY(CheckFields(message));
  return message;
}

}  // namespace kiste::sys::dbus
