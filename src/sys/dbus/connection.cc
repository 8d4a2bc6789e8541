// SPDX-License-Identifier: Apache-2.0
#include "sys/dbus/connection.h"

#include <unistd.h>

#include "base/strings.h"

namespace kiste::sys::dbus {

namespace {

constexpr size_t kMaxLine = 16 << 10;
constexpr int kMaxLines = 16;        // of the server's before it decides about one AUTH
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
    auto stream = Stream::Connect(address, deadline);
    last = stream ? Start(std::move(*stream), peer, deadline)
                  : Result<Connection>(std::unexpected(std::move(stream).error()));
    if (last) break;
  }
  return last;
}

Result<Connection> Connection::Start(Stream stream, Peer peer, Deadline deadline) {
  Connection connection(std::move(stream), peer);
  TRY_CONTEXT(connection.Authenticate(deadline), "D-Bus authentication");
  if (peer == Peer::kService) return connection;
  auto reply = TRY(connection.Call({kBusName, kBusPath, kBusName, "Hello", {}}, deadline));
  if (reply.error_name.empty()) return connection;
  return Fail(ErrorKind::kSystem, StrCat("D-Bus Hello: ", reply.error_name, ": ", reply.error_text));
}

Result<bool> Connection::TryExternal(const std::string& identity, Deadline deadline) {
  TRY(stream_.Send(StrCat("AUTH EXTERNAL", identity.empty() ? "" : " ", identity, "\r\n"), deadline));
  for (int i = 0; i < kMaxLines; ++i) {
    std::string line = TRY(stream_.ReceiveLine(kMaxLine, deadline));
    if (line == "OK" || line.starts_with("OK ")) return true;
    if (line == "REJECTED" || line.starts_with("REJECTED ")) return false;
    bool asked = line == "DATA" || line.starts_with("DATA ");
    TRY(stream_.Send(asked && identity.empty() ? "DATA\r\n" : "CANCEL\r\n", deadline));
  }
  return Invalid("the server neither accepts nor rejects");
}

// EXTERNAL: the server takes the uid from the socket (SO_PEERCRED) and compares it with the claim.
// In a user namespace that uid is one which this process cannot know; the claim is then left empty.
Status Connection::Authenticate(Deadline deadline) {
  using namespace std::string_view_literals;
  TRY(stream_.Send("\0"sv, deadline));
  bool accepted = TRY(TryExternal(HexUid(geteuid()), deadline));
  if (!accepted) accepted = TRY(TryExternal("", deadline));
  if (accepted) return stream_.Send("BEGIN\r\n", deadline);
  return SystemError(EACCES, StrCat("AUTH EXTERNAL as uid ", geteuid()));
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
    bool answer =
        message.type == MessageType::kMethodReturn || message.type == MessageType::kError;
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
