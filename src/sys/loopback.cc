// SPDX-License-Identifier: Apache-2.0
#include "sys/loopback.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "sys/file.h"

namespace kiste::sys {

namespace {

Result<Fd> SocketIn(int ns, int own) {
  if (setns(ns, CLONE_NEWNET) < 0) return ErrnoError("setns network namespace");
  Fd made(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  int error = errno;
  if (setns(own, CLONE_NEWNET) < 0) return ErrnoError("setns back to the network namespace");
  if (!made) return SystemError(error, "socket");
  return made;
}

}  // namespace

Status BringLoopbackUp(int ns) {
  Fd own = TRY(Open("/proc/thread-self/ns/net", O_RDONLY));
  Fd device = TRY(SocketIn(ns, own.get()));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  if (ioctl(device.get(), SIOCGIFFLAGS, &request) < 0) return ErrnoError("ioctl SIOCGIFFLAGS lo");
  request.ifr_flags |= IFF_UP;
  if (ioctl(device.get(), SIOCSIFFLAGS, &request) < 0) return ErrnoError("ioctl SIOCSIFFLAGS lo");
  return {};
}

}  // namespace kiste::sys
