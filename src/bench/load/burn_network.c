// SPDX-License-Identifier: Apache-2.0
//
// A neighbour that takes the network's part of the kernel: streams and datagrams on the loopback.
#include <errno.h>
#include <unistd.h>

#include "burn.h"
#include "loopback.h"
#include "worker.h"

enum { kBlock = 128 << 10, kDatagram = 1024 };

static char block[kBlock];

static int FloodStream(struct Burn* burn) {
  struct Address address = Loopback();
  int listener = Bind(SOCK_STREAM, &address);
  if (listener == -1) return errno;
  pid_t pid = ForkWorker();
  if (pid == -1) return errno;
  if (pid == 0) {
    int fd = accept(listener, NULL, NULL);
    while (read(fd, block, sizeof block) > 0) continue;
    _exit(0);
  }
  int fd = Connect(SOCK_STREAM, &address);
  if (fd == -1) return errno;
  for (bool said = false;; said = true) {
    if (!WriteAll(fd, block, sizeof block)) return errno;
    if (!said) SayBurning(burn);
  }
}

// Nobody reads them: most are dropped at the far end, after all of the work.
static int FloodDatagrams(struct Burn* burn) {
  struct Address address = Loopback();
  int receiver = Bind(SOCK_DGRAM, &address);
  if (receiver == -1) return errno;
  int fd = Connect(SOCK_DGRAM, &address);
  if (fd == -1) return errno;
  SayBurning(burn);
  for (;;) (void)send(fd, block, kDatagram, 0);
}

int BurnNetwork(struct Burn* burn) {
  BringLoopbackUp();
  return burn->number % 2 == 0 ? FloodStream(burn) : FloodDatagrams(burn);
}
