// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>
#include <stdint.h>

// Sets `lo` up where it is down and we may (netdevice(7)). Whoever may not finds out by himself.
void BringLoopbackUp(void);
// A TCP listener; port 0 is any. Where it listens comes back in `address`. -1 with errno.
int ListenOn(uint32_t host, uint16_t port, struct sockaddr_in *address);
