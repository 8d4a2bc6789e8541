// SPDX-License-Identifier: Apache-2.0
#include <endian.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "ending.h"
#include "network.h"
#include "worker.h"

static void EchoMessages(int fd) {
  char message[kMessage];
  while (ReadAll(fd, message, sizeof message) && WriteAll(fd, message, sizeof message)) continue;
}

static void Sink(int fd) {
  static char block[kStreamBlock];
  uint64_t count = 0;
  for (;;) {
    ssize_t size = read(fd, block, sizeof block);
    if (size > 0) count += (uint64_t)size;
    if (size == 0 || (size < 0 && errno != EINTR)) break;
  }
  count = htobe64(count);
  WriteAll(fd, &count, sizeof count);
}

static void EchoDatagrams(int fd) {
  char message[kMessage];
  struct Address peer = {.size = 0};
  for (;;) {
    peer.size = sizeof peer.socket;
    ssize_t size = recvfrom(fd, message, sizeof message, 0, &peer.socket.any, &peer.size);
    if (size >= 0) (void)sendto(fd, message, (size_t)size, 0, &peer.socket.any, peer.size);
  }
}

static void ServeConnection(int fd, char kind) {
  if (kind == kGreet) {
    WriteAll(fd, &kind, 1);
    return;
  }
  pid_t pid = ForkWorker();
  if (pid != 0) return;  // not forked, the client sees the end
  struct timeval forever = {0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof forever);
  if (kind == kEcho) EchoMessages(fd);
  if (kind == kSink) Sink(fd);
  _exit(0);
}

void ServeNetwork(int listener, int datagrams) {
  signal(SIGCHLD, SIG_IGN);  // nobody waits for those who serve a connection
  pid_t echo = datagrams == -1 ? -1 : ForkWorker();
  if (echo == 0) EchoDatagrams(datagrams);
  // Neither a client that is silent nor a signal just before the wait holds us up for long.
  const struct timeval limit = {.tv_sec = 1};
  setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  while (!Ended()) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd == -1) continue;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    WithoutDelay(fd);
    char kind = 0;
    if (ReadAll(fd, &kind, 1)) ServeConnection(fd, kind);
    close(fd);
  }
  EndWorker(echo);
}
