// SPDX-License-Identifier: Apache-2.0
//
// TCP between two processes: over loopback, or to a server that `network --listen` is elsewhere.
// Throughput, round trips, connections per second, segments sent twice; UDP and local sockets over
// loopback only. A client's first byte says what it wants of the server.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "line.h"
#include "load.h"
#include "loopback.h"
#include "timing.h"

enum { kBlock = 128 << 10 };
static char block[kBlock];
static struct Latencies latencies;

// Swallows ('s'), echoes ('e'), or only closes ('c').
static void ServeClient(int fd) {
  char wish = 0;
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (read(fd, &wish, 1) != 1 || wish == 'c') return;
  ssize_t size;
  while ((size = read(fd, block, sizeof block)) > 0) {
    if (wish == 'e' && write(fd, block, (size_t)size) != size) return;
  }
}

// A child for each client, so that a slow one holds up nobody. Ends with its parent or by SIGTERM.
static void ServeAll(int listener) {
  signal(SIGCHLD, SIG_IGN);
  while (!Ended()) {
    struct pollfd waiting = {listener, POLLIN, 0};
    if (poll(&waiting, 1, 200) != 1) continue;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) continue;
    char wish = 0;
    // What only wants to be accepted needs no child.
    if (recv(fd, &wish, 1, MSG_PEEK) == 1 && wish != 'c') {
      if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        close(listener);
        ServeClient(fd);
        _exit(0);
      }
    }
    close(fd);
  }
}

static int Connect(const struct sockaddr_in *address, char wish) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
  if (fd < 0) return -1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 &&
      write(fd, &wish, 1) == 1) {
    return fd;
  }
  close(fd);
  return -1;
}

static void Throughput(const struct sockaddr_in *address, double seconds) {
  int fd = Connect(address, 's');
  if (fd < 0) {
    CannotErrno("network/throughput", "connect");
    return;
  }
  uint64_t before = NowNs(), end = before + (uint64_t)(seconds * 1e9), sent = 0;
  while (NowNs() < end) {
    ssize_t size = write(fd, block, sizeof block);
    if (size <= 0) break;
    sent += (uint64_t)size;
  }
  Number("network/throughput", "B/s", (double)sent * 1e9 / (double)(NowNs() - before));
  struct tcp_info info;
  socklen_t size = sizeof info;
  memset(&info, 0, sizeof info);
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) {
    Number("network/retransmits", "count", info.tcpi_total_retrans);
  } else {
    CannotErrno("network/retransmits", "getsockopt TCP_INFO");
  }
  close(fd);
}

static void RoundTrips(int fd, const char *metric, double seconds) {
  uint64_t end = NowNs() + (uint64_t)(seconds * 1e9);
  char byte = 0;
  while (NowNs() < end) {
    uint64_t before = NowNs();
    if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1) break;
    AddLatency(&latencies, NowNs() - before);
  }
  ReportLatencies(&latencies, metric, false);
}

static void Connections(const struct sockaddr_in *address, double seconds) {
  uint64_t before = NowNs(), end = before + (uint64_t)(seconds * 1e9), made = 0;
  while (NowNs() < end) {
    int fd = Connect(address, 'c');
    if (fd < 0) {
      CannotErrno("network/connections", "connect");
      return;
    }
    // Reset instead of TIME_WAIT: ports are few.
    struct linger at_once = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
    ++made;
  }
  Number("network/connections", "1/s", (double)made * 1e9 / (double)(NowNs() - before));
}

static void MeasureTcp(const struct sockaddr_in *address, double seconds) {
  Throughput(address, seconds / 3);
  int fd = Connect(address, 'e');
  if (fd < 0) {
    CannotErrno("network/round-trip", "connect");
  } else {
    RoundTrips(fd, "network/round-trip", seconds / 3);
    close(fd);
  }
  Connections(address, seconds / 3);
}

// A child that echoes on its end of a pair of sockets.
static void MeasurePair(int domain, int type, const char *metric, double seconds) {
  int ends[2];
  if (socketpair(domain, type | SOCK_CLOEXEC, 0, ends) != 0) {
    CannotErrno(metric, "socketpair");
    return;
  }
  pid_t child = fork();
  if (child == 0) {
    ssize_t size;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    close(ends[0]);
    while ((size = read(ends[1], block, sizeof block)) > 0) {
      if (write(ends[1], block, (size_t)size) != size) break;
    }
    _exit(0);
  }
  close(ends[1]);
  if (child > 0) RoundTrips(ends[0], metric, seconds);
  close(ends[0]);
  if (child > 0) waitpid(child, NULL, 0);
}

static int Loopback(double seconds) {
  struct sockaddr_in address;
  BringLoopbackUp();
  int listener = ListenOn(htonl(INADDR_LOOPBACK), 0, &address);
  if (listener < 0) return FailWith("load network: listen on 127.0.0.1: %s", strerror(errno));
  pid_t server = fork();
  if (server < 0) return FailWith("load network: fork: %s", strerror(errno));
  if (server == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    ServeAll(listener);
    _exit(0);
  }
  close(listener);
  MeasureTcp(&address, seconds * 0.75);
  MeasurePair(AF_UNIX, SOCK_STREAM, "network/local-socket", seconds * 0.25);
  kill(server, SIGKILL);
  waitpid(server, NULL, 0);
  End();
  return 0;
}

static bool ReadAddress(const char *host, const char *port_text, struct sockaddr_in *address) {
  double port;
  memset(address, 0, sizeof *address);
  address->sin_family = AF_INET;
  if (inet_pton(AF_INET, host, &address->sin_addr) != 1)
    return WrongUse("load network: expected an IPv4 address, found %s", host) == 0;
  if (!ReadNumber("--port", port_text, 1, 65535, &port)) return false;
  address->sin_port = htons((uint16_t)port);
  return true;
}

int Network(int count, char **words) {
  const char *seconds_text = "2", *connect_to = NULL, *listen_on = NULL, *port = "0";
  double seconds;
  struct sockaddr_in address;
  const struct Option options[] = {{"--seconds", &seconds_text},
                                   {"--connect", &connect_to},
                                   {"--listen", &listen_on},
                                   {"--port", &port}};
  if (!ReadOptions(count, words, options, 4, NULL) ||
      !ReadNumber("--seconds", seconds_text, 0.01, 3600, &seconds)) {
    return 2;
  }
  CatchEnd();
  if (!MakeLatencies(&latencies)) return FailWith("load network: no memory");
  if (connect_to == NULL && listen_on == NULL) return Loopback(seconds);
  if (!ReadAddress(connect_to != NULL ? connect_to : listen_on, port, &address)) return 2;
  if (connect_to != NULL) {
    MeasureTcp(&address, seconds);
    End();
    return 0;
  }
  int listener = ListenOn(address.sin_addr.s_addr, ntohs(address.sin_port), &address);
  if (listener < 0) return FailWith("load network: listen on %s: %s", listen_on, strerror(errno));
  Ready();
  ServeAll(listener);
  End();
  return 0;
}
