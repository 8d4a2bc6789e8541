// SPDX-License-Identifier: Apache-2.0
#include "loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#include "ending.h"

void BringLoopbackUp(void) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd == -1) return;
  struct ifreq lo = {.ifr_name = "lo"};
  if (ioctl(fd, SIOCGIFFLAGS, &lo) == 0 && !(lo.ifr_flags & IFF_UP)) {
    lo.ifr_flags = (short)(lo.ifr_flags | IFF_UP);
    // Not allowed, what comes next says that nobody can be reached.
    (void)ioctl(fd, SIOCSIFFLAGS, &lo);
  }
  close(fd);
}

struct Address Loopback(void) {
  struct Address address = {.size = sizeof address.socket.v4};
  address.socket.v4.sin_family = AF_INET;
  address.socket.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool ParseAddress(const char* text, long port, struct Address* address) {
  *address = (struct Address){.size = 0};
  if (inet_pton(AF_INET, text, &address->socket.v4.sin_addr) == 1) {
    address->size = sizeof address->socket.v4;
    address->socket.v4.sin_family = AF_INET;
    address->socket.v4.sin_port = htons((uint16_t)port);
  } else if (inet_pton(AF_INET6, text, &address->socket.v6.sin6_addr) == 1) {
    address->size = sizeof address->socket.v6;
    address->socket.v6.sin6_family = AF_INET6;
    address->socket.v6.sin6_port = htons((uint16_t)port);
  }
  return address->size != 0;
}

static int CloseFailed(int fd) {
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

int Bind(int kind, struct Address* address) {
  int fd = socket(address->socket.any.sa_family, kind | SOCK_CLOEXEC, 0);
  if (fd == -1) return -1;
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, &address->socket.any, address->size) == -1 ||
      (kind == SOCK_STREAM && listen(fd, 128) == -1) ||
      getsockname(fd, &address->socket.any, &address->size) == -1)
    return CloseFailed(fd);
  return fd;
}

void WithoutDelay(int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int Connect(int kind, const struct Address* address) {
  int fd = socket(address->socket.any.sa_family, kind | SOCK_CLOEXEC, 0);
  if (fd == -1) return -1;
  if (kind == SOCK_STREAM) {
    WithoutDelay(fd);
  } else {
    struct timeval limit = {.tv_usec = 250000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  if (connect(fd, &address->socket.any, address->size) == -1) return CloseFailed(fd);
  return fd;
}

bool ReadAll(int fd, void* buffer, size_t size) {
  char* at = buffer;
  while (size > 0) {
    ssize_t got = read(fd, at, size);
    if (got == 0) errno = ECONNRESET;
    if (got == 0 || (got < 0 && (errno != EINTR || Ended()))) return false;
    if (got > 0) at += got, size -= (size_t)got;
  }
  return true;
}

bool WriteAll(int fd, const void* buffer, size_t size) {
  const char* at = buffer;
  while (size > 0) {
    ssize_t put = write(fd, at, size);
    if (put < 0 && (errno != EINTR || Ended())) return false;
    if (put > 0) at += put, size -= (size_t)put;
  }
  return true;
}
