// SPDX-License-Identifier: Apache-2.0
//
// The bytes below D-Bus: a Unix stream socket whose every wait has an end. Used by Connection.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "sys/dbus/address.h"

namespace kiste::sys::dbus {

using Clock = std::chrono::steady_clock;
using Deadline = Clock::time_point;

class Stream {
 public:
  // kSystem with the errno when nobody listens there; kTimeout when nobody accepts in time.
  static Result<Stream> Connect(const UnixAddress& address, Deadline deadline);
  // Takes over a connected socket.
  Stream(Fd socket, std::string name) : socket_(std::move(socket)), name_(std::move(name)) {}

  Status Send(std::string_view bytes, Deadline deadline);
  // Exactly `size` bytes; kSystem with ECONNRESET at the end of file.
  Result<std::string> Receive(size_t size, Deadline deadline);
  // A line up to "\r\n", which is taken and not returned; kInvalid after `limit` bytes without one.
  Result<std::string> ReceiveLine(size_t limit, Deadline deadline);

 private:
  // Waits until the socket is ready for `events`.
  Status Wait(short events, Deadline deadline) const;
  // Receives what is there, at least one byte, into the buffer.
  Status Fill(Deadline deadline);

  Fd socket_;
  std::string name_;  // for errors
  std::string buffer_;
};

}  // namespace kiste::sys::dbus
