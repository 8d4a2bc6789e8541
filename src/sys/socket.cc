// SPDX-License-Identifier: Apache-2.0
#include "sys/socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "base/strings.h"
#include "sys/file.h"
#include "sys/readable.h"

namespace kiste::sys {

namespace {

Result<sockaddr_un> Address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Invalid(
        StrCat("socket path ", path, ": longer than ", sizeof address.sun_path - 1, " bytes"));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

// A path for `name` in `directory` that fits a socket address, however long the directory's is.
std::string ShortPath(int directory, const std::string& name) {
  return StrCat("/proc/self/fd/", directory, "/", name);
}

Result<Fd> MakeSocket(int type) {
  int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  if (fd < 0) return ErrnoError("socket");
  return Fd(fd);
}

// connect(2) waits while the listener's queue is full, as long as the socket's sending may take.
Status LimitSending(int socket, Deadline deadline) {
  if (deadline.never()) return {};
  auto left = std::max(deadline.Left(), std::chrono::milliseconds(1));  // 0 would be no limit
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  timeval time{seconds.count(), std::chrono::microseconds(left - seconds).count()};
  if (setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) < 0)
    return ErrnoError("setsockopt SO_SNDTIMEO");
  return {};
}

Result<Fd> ConnectPath(int type, const std::string& path, Deadline deadline) {
  Fd file = TRY(MakeSocket(type));
  sockaddr_un address = TRY(Address(path));
  TRY(LimitSending(file.get(), deadline));
  while (connect(file.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) {
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return ErrnoError(StrCat("connect ", path));
    return Fail(ErrorKind::kTimeout, StrCat("connect ", path, ": nobody accepts connections"));
  }
  return file;
}

// Waits until there is something to receive, or the end of file.
Status Await(int socket, Deadline deadline) {
  if (TRY(WaitReadable(socket, deadline))) return {};
  return Fail(ErrorKind::kTimeout, "nothing came until the time was over");
}

}  // namespace

Result<SocketPair> MakeSocketPair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
    return ErrnoError("socketpair");
  return SocketPair{Fd(ends[0]), Fd(ends[1])};
}

Result<Fd> ListenAt(int directory, const std::string& name) {
  Fd file = TRY(MakeSocket(SOCK_SEQPACKET));
  sockaddr_un address = TRY(Address(ShortPath(directory, name)));
  if (bind(file.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) {
    return ErrnoError(StrCat("bind ", name));
  }
  if (listen(file.get(), 8) < 0) return ErrnoError(StrCat("listen ", name));
  return file;
}

Result<Fd> ConnectAt(int directory, const std::string& name, Deadline deadline) {
  return ConnectPath(SOCK_SEQPACKET, ShortPath(directory, name), deadline);
}

bool Listens(int directory, const std::string& name) {
  auto connected =
      ConnectPath(SOCK_SEQPACKET | SOCK_NONBLOCK, ShortPath(directory, name), Deadline::Never());
  // A full queue is somebody's.
  return connected || connected.error().kind == ErrorKind::kTimeout;
}

Result<Fd> ConnectStream(const std::string& path, Deadline deadline) {
  sockaddr_un address{};
  if (path.size() < sizeof address.sun_path) return ConnectPath(SOCK_STREAM, path, deadline);
  size_t slash = path.find_last_of('/');
  Fd directory = TRY(Open(path.substr(0, slash + 1), O_PATH | O_DIRECTORY));
  return ConnectPath(SOCK_STREAM, ShortPath(directory.get(), path.substr(slash + 1)), deadline);
}

Result<Fd> ConnectDatagram(const std::string& path, Deadline deadline) {
  Fd file = TRY(MakeSocket(SOCK_DGRAM));
  TRY(LimitSending(file.get(), deadline));
  sockaddr_un address = TRY(Address(path));
  auto size = static_cast<socklen_t>(sizeof address);
  if (path.starts_with('@')) {  // a name of exactly these bytes, without a NUL at its end
    address.sun_path[0] = '\0';
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  }
  if (connect(file.get(), reinterpret_cast<sockaddr*>(&address), size) < 0)
    return ErrnoError(StrCat("connect ", path));
  return file;
}

Result<Fd> BindDatagramAt(int directory, const std::string& name, mode_t mode) {
  Fd file = TRY(MakeSocket(SOCK_DGRAM));
  std::string path = ShortPath(directory, name);
  sockaddr_un address = TRY(Address(path));
  if (bind(file.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0)
    return ErrnoError(StrCat("bind ", name));
  if (fchmodat(directory, name.c_str(), mode, 0) < 0) return ErrnoError(StrCat("chmod ", name));
  return file;
}

Result<SocketPair> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return ErrnoError("pipe2");
  return SocketPair{Fd(ends[0]), Fd(ends[1])};
}

Result<size_t> Receive(int socket, void* bytes, size_t size, Deadline deadline) {
  while (true) {
    TRY(Await(socket, deadline));
    ssize_t received = recv(socket, bytes, size, MSG_DONTWAIT);
    // ECONNRESET: the peer has gone without reading what it was sent. It is told once, before what
    // the peer had said and the end of file.
    if (received < 0 && (errno == EINTR || errno == EAGAIN || errno == ECONNRESET)) continue;
    if (received < 0) return ErrnoError("recv");
    return static_cast<size_t>(received);
  }
}

Status Send(int socket, const void* bytes, size_t size) {
  while (send(socket, bytes, size, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return ErrnoError("send");
  }
  return {};
}

Status SendDescriptor(int socket, int fd, const std::string& text) {
  iovec piece{const_cast<char*>(text.data()), text.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return ErrnoError("sendmsg");
  }
  return {};
}

namespace {

Fd DescriptorIn(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(part), sizeof fd);
    return Fd(fd);
  }
  return Fd();
}

}  // namespace

Result<Delivery> ReceiveDelivery(int socket, size_t limit) {
  Delivery delivery;
  delivery.bytes.resize(limit);
  iovec piece{delivery.bytes.data(), delivery.bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t size = 0;
  while ((size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0) {
    if (errno != EINTR) return ErrnoError("recvmsg");
  }
  delivery.fd = DescriptorIn(message);
  delivery.cut = (message.msg_flags & MSG_TRUNC) != 0;
  delivery.bytes.resize(static_cast<size_t>(size));
  return delivery;
}

Result<Fd> ReceiveDescriptor(int socket, Deadline deadline) {
  constexpr size_t kText = 256;  // what comes with it is for nobody
  TRY_CONTEXT(Await(socket, deadline), "receive a descriptor");
  auto delivery = TRY(ReceiveDelivery(socket, kText));
  return std::move(delivery.fd);
}

}  // namespace kiste::sys
