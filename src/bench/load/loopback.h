// SPDX-License-Identifier: Apache-2.0
//
// Sockets to oneself, and to an address that was named. Functions return -1 with errno.
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct Address {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } socket;
  socklen_t size;
};

// In a new network namespace `lo` is down. Brings it up where that is allowed; needs no /sys.
void BringLoopbackUp(void);
struct Address Loopback(void);  // 127.0.0.1, any port
// False when the text is neither an IPv4 nor an IPv6 address.
bool ParseAddress(const char* text, long port, struct Address* address);

// `kind` is SOCK_STREAM (listens) or SOCK_DGRAM. The address gets the port that it became.
int Bind(int kind, struct Address* address);
// A datagram socket waits for an answer for a quarter of a second at most. Without Nagle's delay.
int Connect(int kind, const struct Address* address);
void WithoutDelay(int fd);
// Reads, and writes, all of it. False at an end, an error or the time limit of the socket.
bool ReadAll(int fd, void* buffer, size_t size);
bool WriteAll(int fd, const void* buffer, size_t size);
