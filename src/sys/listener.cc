// SPDX-License-Identifier: Apache-2.0
#include "sys/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

#include "base/strings.h"

namespace kiste::sys {

namespace {

constexpr int kBacklog = 16;

// `address` of `size` bytes, whatever its family.
Result<Fd> Listen(int family, const void* address, socklen_t size, const std::string& name) {
  Fd fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return ErrnoError(StrCat("socket ", name));
  if (bind(fd.get(), static_cast<const sockaddr*>(address), size) < 0) {
    return ErrnoError(StrCat("bind ", name));
  }
  if (listen(fd.get(), kBacklog) < 0) return ErrnoError(StrCat("listen ", name));
  return fd;
}

// In the abstract namespace the name begins behind a zero byte; a path ends with one.
Result<Fd> ListenUnix(const std::string& name, bool abstract) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() + 1 >= sizeof address.sun_path) {
    return Invalid(
        StrCat("socket ", name, ": longer than ", sizeof address.sun_path - 2, " bytes"));
  }
  std::memcpy(address.sun_path + (abstract ? 1 : 0), name.data(), name.size());
  size_t size = offsetof(sockaddr_un, sun_path) + name.size() + 1;
  return Listen(AF_UNIX, &address, static_cast<socklen_t>(size), name);
}

}  // namespace

Result<Fd> ListenAbstract(const std::string& name) { return ListenUnix(name, true); }

Result<Fd> ListenPath(const std::string& path) {
  Fd fd = TRY(ListenUnix(path, false));
  if (chmod(path.c_str(), 0666) < 0) return ErrnoError(StrCat("chmod ", path));
  return fd;
}

Result<PortListener> ListenLoopback() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Fd fd = TRY(Listen(AF_INET, &address, sizeof address, "127.0.0.1"));
  socklen_t size = sizeof address;
  void* where = &address;
  if (getsockname(fd.get(), static_cast<sockaddr*>(where), &size) < 0) {
    return ErrnoError("getsockname 127.0.0.1");
  }
  return PortListener{.fd = std::move(fd), .port = ntohs(address.sin_port)};
}

}  // namespace kiste::sys
