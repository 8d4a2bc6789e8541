// SPDX-License-Identifier: Apache-2.0
#include "sys/dbus/stream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "base/strings.h"

namespace kiste::sys::dbus {

namespace {

std::chrono::milliseconds Left(Deadline deadline) {
  auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return std::max(left, std::chrono::milliseconds(0));
}

std::unexpected<Error> TimedOut(const std::string& name) {
  return Fail(ErrorKind::kTimeout, StrCat("D-Bus at ", name, ": no answer in time"));
}

}  // namespace

Result<Stream> Stream::Connect(const UnixAddress& address, Deadline deadline) {
  std::string name = StrCat(address.abstract ? "@" : "", address.name);
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  size_t first = address.abstract ? 1 : 0;  // an abstract name begins behind a NUL, and has none
  if (first + address.name.size() >= sizeof where.sun_path) {
    return Invalid(StrCat("D-Bus address ", Quote(name), ": longer than ",
                          sizeof where.sun_path - 1 - first, " bytes"));
  }
  std::memcpy(where.sun_path + first, address.name.data(), address.name.size());
  auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + first + address.name.size() +
                                     (address.abstract ? 0 : 1));
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return ErrnoError("socket");
  // A full queue of connections makes connect(2) wait: as long as SO_SNDTIMEO says (socket(7)).
  auto left = std::max(Left(deadline), std::chrono::milliseconds(1));
  timeval limit{.tv_sec = left.count() / 1000, .tv_usec = left.count() % 1000 * 1000};
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  while (connect(socket.get(), reinterpret_cast<sockaddr*>(&where), size) != 0) {
    if (errno == EAGAIN) return TimedOut(name);
    if (errno != EINTR) return ErrnoError(StrCat("connect ", name));
  }
  return Stream(std::move(socket), std::move(name));
}

Status Stream::Wait(short events, Deadline deadline) const {
  while (true) {
    pollfd wait{socket_.get(), events, 0};
    int ready = poll(&wait, 1, static_cast<int>(std::min<int64_t>(Left(deadline).count(), 60'000)));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return ErrnoError(StrCat("poll ", name_));
    if (Left(deadline).count() == 0) return TimedOut(name_);
  }
}

Status Stream::Send(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    ssize_t sent = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      TRY(Wait(POLLOUT, deadline));
    } else if (errno != EINTR) {
      return ErrnoError(StrCat("send to ", name_));
    }
  }
  return {};
}

Status Stream::Fill(Deadline deadline) {
  char block[4096];
  while (true) {
    ssize_t got = recv(socket_.get(), block, sizeof block, MSG_DONTWAIT);
    if (got > 0) {
      buffer_.append(block, static_cast<size_t>(got));
      return {};
    }
    if (got == 0) return SystemError(ECONNRESET, StrCat("receive from ", name_));
    if (errno == EAGAIN) {
      TRY(Wait(POLLIN, deadline));
    } else if (errno != EINTR) {
      return ErrnoError(StrCat("receive from ", name_));
    }
  }
}

Result<std::string> Stream::Receive(size_t size, Deadline deadline) {
  while (buffer_.size() < size) TRY(Fill(deadline));
  std::string bytes = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return bytes;
}

Result<std::string> Stream::ReceiveLine(size_t limit, Deadline deadline) {
  size_t end;
  while ((end = buffer_.find("\r\n")) == std::string::npos) {
    if (buffer_.size() > limit) return Invalid(StrCat("D-Bus at ", name_, ": a line without end"));
    TRY(Fill(deadline));
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return line;
}

}  // namespace kiste::sys::dbus
