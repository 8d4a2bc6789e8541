// SPDX-License-Identifier: Apache-2.0
//
// For tests: the other side of a connection, a thread that authenticates and answers method calls.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "sys/dbus/connection.h"

namespace kiste::sys::dbus {

class TestPeer {
 public:
  // What is sent for a call: messages whose serial is filled in, and whose reply_serial too when
  // they are answers.
  using Answer = std::function<std::vector<Message>(const Message& call)>;

  // `auth` is what the authentication is answered with.
  explicit TestPeer(Answer answer, std::string auth = "OK 0123\r\n")
      : answer_(std::move(answer)), auth_(std::move(auth)) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) abort();
    ours_ = Fd(ends[0]);
    thread_ = std::thread([this, theirs = ends[1]] { Serve(Fd(theirs)); });
  }
  ~TestPeer() {
    if (thread_.joinable()) thread_.join();
  }

  // The client's end, once.
  Stream Take() { return {std::move(ours_), "the test's peer"}; }
  Result<Connection> Connect(Peer peer, Connection::Claim claim = Connection::Claim::kUid) {
    return Connection::Start(Take(), peer, claim, Soon());
  }
  static Deadline Soon() { return Clock::now() + std::chrono::seconds(10); }

  static Message Return(const std::vector<Value>& values) {
    Message message;
    message.type = MessageType::kMethodReturn;
    message.SetBody(values);
    return message;
  }
  static Message ErrorNamed(std::string name, std::string text) {
    Message message;
    message.type = MessageType::kError;
    message.error_name = std::move(name);
    message.SetBody({String(std::move(text))});
    return message;
  }
  static Message Signal(std::string interface, std::string member,
                        const std::vector<Value>& values) {
    Message message;
    message.type = MessageType::kSignal;
    message.path = "/test";
    message.interface = std::move(interface);
    message.member = std::move(member);
    message.SetBody(values);
    return message;
  }

  // What the client said first. Read it when the client is done.
  const std::string& greeting() {
    if (thread_.joinable()) thread_.join();
    return greeting_;
  }

 private:
  void Serve(Fd socket) {
    Stream stream(std::move(socket), "the client");
    auto first = stream.Receive(1, Soon());
    while (first) {
      auto line = stream.ReceiveLine(1000, Soon());
      if (!line) return;
      greeting_ += *line + "\n";
      if (*line == "BEGIN") break;
    }
    if (!first || !stream.Send(auth_, Soon())) return;
    uint32_t serial = 0;
    while (auto start = stream.Receive(kMessageStart, Soon())) {
      auto rest = stream.Receive(MessageSize(*start).value() - kMessageStart, Soon());
      if (!rest) return;
      Message call = ReadMessage(*start + *rest).value();
      for (auto& message : answer_(call)) {
        message.serial = ++serial;
        bool reply =
            message.type == MessageType::kMethodReturn || message.type == MessageType::kError;
        if (reply && message.reply_serial == 0) message.reply_serial = call.serial;
        if (!stream.Send(WriteMessage(message), Soon())) return;
      }
    }
  }

  Answer answer_;
  std::string auth_, greeting_;
  Fd ours_;
  std::thread thread_;
};

}  // namespace kiste::sys::dbus
