// SPDX-License-Identifier: Apache-2.0
#include "sys/dbus/connection.h"

#include <unistd.h>

#include "base/strings.h"

namespace kiste::sys::dbus {

namespace {

constexpr size_t kMaxLine = 16 << 10;
constexpr int kMaxLines = 4;          // of the server's before it decides
constexpr size_t kMaxSignals = 1024;  // kept; nobody asks for more than a handful

constexpr char kBusName[] = "org.freedesktop.DBus";
constexpr char kBusPath[] = "/org/freedesktop/DBus";

// The decimal uid, each digit as two hexadecimal ones.
std::string HexUid(uid_t uid) {
  std::string hex;
  for (char digit : StrCat(uid)) hex += StrCat('3', digit);
  return hex;
}

}  // namespace

Result<Connection> Connection::Open(const std::vector<UnixAddress>& addresses, Peer peer,
                                    Deadline deadline) {
  Result<Connection> last = Invalid("D-Bus: no address to connect to");
  for (const auto& address : addresses) {
    for (auto claim : {Claim::kUid, Claim::kNone}) {
      auto stream = Stream::Connect(address, deadline);
      if (!stream) {
        last = std::unexpected(std::move(stream).error());
        break;
      }
      last = Start(std::move(*stream), peer, claim, deadline);
      if (last || last.error().errno_value != EACCES) break;
    }
    if (last) break;
  }
  return last;
}

Result<Connection> Connection::Start(Stream stream, Peer peer, Claim claim, Deadline deadline) {
  Connection connection(std::move(stream), peer);
  TRY_CONTEXT(connection.Authenticate(claim, deadline), "D-Bus authentication");
  if (peer == Peer::kService) return connection;
  auto reply = TRY(connection.Call({kBusName, kBusPath, kBusName, "Hello", {}}, deadline));
  if (reply.error_name.empty()) return connection;
  return Fail(ErrorKind::kSystem,
              StrCat("D-Bus Hello: ", reply.error_name, ": ", reply.error_text));
}

// All at once, BEGIN before the answer: systemd leaves a message lying that it reads together with
// BEGIN, until more comes. So none may follow BEGIN before the server has answered what was sent
// with it; and whoever is rejected has to connect again.
Status Connection::Authenticate(Claim claim, Deadline deadline) {
  std::string command(1, '\0');
  command += "AUTH EXTERNAL";
  command += claim == Claim::kUid ? StrCat(" ", HexUid(geteuid()), "\r\n") : "\r\nDATA\r\n";
  TRY(stream_.Send(command + "BEGIN\r\n", deadline));
  for (int i = 0; i < kMaxLines; ++i) {
    std::string line = TRY(stream_.ReceiveLine(kMaxLine, deadline));
    if (line == "OK" || line.starts_with("OK ")) return {};
    if (line == "DATA" && claim == Claim::kNone) continue;
    return SystemError(EACCES, StrCat("AUTH EXTERNAL as uid ", geteuid(), ": ", Quote(line)));
  }
  return Invalid("the server neither accepts nor rejects");
}

Result<Message> Connection::Next(Deadline deadline) {
  std::string bytes = TRY(stream_.Receive(kMessageStart, deadline));
  size_t size = TRY(MessageSize(bytes));
  bytes += TRY(stream_.Receive(size - kMessageStart, deadline));
  return ReadMessage(bytes);
}

bool Connection::IsExpected(const Message& message) const {
  return message.type == MessageType::kSignal && !expected_member_.empty() &&
         message.interface == expected_interface_ && message.member == expected_member_;
}

Result<Reply> Connection::Call(const Method& method, Deadline deadline) {
  Message call;
  call.serial = ++serial_;
  call.destination = peer_ == Peer::kBus ? method.destination : "";
  call.path = method.path;
  call.interface = method.interface;
  call.member = method.member;
  call.SetBody(method.arguments);
  TRY_CONTEXT(stream_.Send(WriteMessage(call), deadline), StrCat("D-Bus ", method.member));
  while (true) {
    auto message = TRY_CONTEXT(Next(deadline), StrCat("D-Bus ", method.member));
    if (IsExpected(message) && signals_.size() < kMaxSignals) {
      signals_.push_back(std::move(message));
      continue;
    }
    bool answer = message.type == MessageType::kMethodReturn || message.type == MessageType::kError;
    if (!answer || message.reply_serial != call.serial) continue;
    Reply reply;
    reply.values = TRY_CONTEXT(message.Body(), StrCat("D-Bus ", method.member));
    if (message.type == MessageType::kError) {
      reply.error_name = message.error_name;
      if (!reply.values.empty() && reply.values[0].signature == "s") {
        reply.error_text = std::get<std::string>(reply.values[0].content);
      }
    }
    return reply;
  }
}

Status Connection::ExpectSignal(std::string_view interface, std::string_view member,
                                Deadline deadline) {
  expected_interface_ = interface;
  expected_member_ = member;
  signals_.clear();
  if (peer_ == Peer::kService) return {};
  std::string rule = StrCat("type='signal',interface='", interface, "',member='", member, "'");
  auto reply =
      TRY(Call({kBusName, kBusPath, kBusName, "AddMatch", {String(std::move(rule))}}, deadline));
  if (reply.error_name.empty()) return {};
  return Fail(ErrorKind::kSystem,
              StrCat("D-Bus AddMatch: ", reply.error_name, ": ", reply.error_text));
}

Result<Message> Connection::WaitSignal(const std::function<bool(const Message&)>& wanted,
                                       Deadline deadline) {
  while (true) {
    Message message;
    if (!signals_.empty()) {
      message = std::move(signals_.front());
      signals_.pop_front();
    } else {
      message = TRY(Next(deadline));
    }
    if (IsExpected(message) && wanted(message)) return message;
  }
}

}  // namespace kiste::sys::dbus
