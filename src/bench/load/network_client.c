// SPDX-License-Identifier: Apache-2.0
#include <endian.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ending.h"
#include "line.h"
#include "network.h"
#include "timing.h"
#include "worker.h"

enum { kPasses = 5, kSamples = 1 << 16 };

static int Open(const struct Address* address, char kind) {
  int fd = Connect(SOCK_STREAM, address);
  if (fd == -1 || WriteAll(fd, &kind, 1)) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

// Sends for so many seconds, until the receiver has said how much it got: the rate, or 0 with
// errno.
static double Stream(int fd, double seconds) {
  static char block[kStreamBlock];
  uint64_t begin = Now();
  uint64_t end = After(seconds);
  while (Now() < end && !Ended())
    if (!WriteAll(fd, block, sizeof block)) return 0;
  uint64_t count = 0;
  if (shutdown(fd, SHUT_WR) == -1 || !ReadAll(fd, &count, sizeof count)) return 0;
  return (double)be64toh(count) * 1e9 / (double)(Now() - begin + 1);
}

static double Retransmits(int fd) {
  struct tcp_info info;
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == -1) return -1;
  size_t needed = offsetof(struct tcp_info, tcpi_total_retrans) + sizeof info.tcpi_total_retrans;
  return size >= needed ? (double)info.tcpi_total_retrans : -1;
}

static void MeasureThroughput(const struct Address* address, double seconds) {
  double rates[kPasses];
  double retransmits = 0;
  for (size_t i = 0; i < kPasses; ++i) {
    int fd = Open(address, kSink);
    rates[i] = fd == -1 ? 0 : Stream(fd, seconds / (int)kPasses);
    if (rates[i] <= 0) {
      SayCannotCall("network/tcp/throughput", "a stream", errno);
      if (fd != -1) close(fd);
      return;
    }
    double more = Retransmits(fd);
    retransmits = more < 0 || retransmits < 0 ? -1 : retransmits + more;
    close(fd);
  }
  SayResult("network/tcp/throughput", "B/s", rates, kPasses);
  if (retransmits < 0)
    SayCannot("network/tcp/retransmits", "TCP_INFO does not say");
  else
    SayNumber("network/tcp/retransmits", "count", retransmits);
}

// The message comes back, or what is left in the way of it does within the socket's time limit.
static bool TripTcp(int fd) {
  static char message[kMessage];
  return WriteAll(fd, message, sizeof message) && ReadAll(fd, message, sizeof message);
}

static bool TripUdp(int fd) {
  static uint64_t message[kMessage / sizeof(uint64_t)];
  uint64_t number = ++message[0];
  if (send(fd, message, sizeof message, 0) == -1) return false;
  do {  // an answer that was late is not this one's
    if (recv(fd, message, sizeof message, 0) == -1) return message[0] = number, false;
  } while (message[0] != number);
  return true;
}

// Round trips; those of which nothing came back are counted in `lost` where that is allowed.
static bool MeasureTrips(const char* metric, int fd, bool trip(int), double* lost, double seconds) {
  struct Samples samples;
  if (!StartSamples(&samples, kSamples)) {
    SayCannotCall(metric, "malloc", errno);
    return false;
  }
  uint64_t end = After(seconds);
  bool good = true;
  for (uint64_t now = Now(); now < end && !Ended() && good; now = Now()) {
    if (trip(fd)) {
      AddSample(&samples, (double)(Now() - now));
    } else if (lost && errno == EAGAIN) {
      ++*lost;
    } else {
      good = false;
      if (!Ended()) SayCannotCall(metric, "a round trip", errno);
    }
  }
  if (good && !Ended()) SayQuantiles(metric, &samples, false);
  FreeSamples(&samples);
  return good && !Ended();
}

// Ends by a reset: the ports of thousands of connections would wait for minutes otherwise.
static int Greet(void* with, uint64_t times) {
  for (uint64_t i = 0; i < times && !Ended(); ++i) {
    int fd = Open(with, kGreet);
    if (fd == -1) return errno;
    char byte = 0;
    bool good = ReadAll(fd, &byte, 1);
    int error = errno;
    struct linger reset = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    if (!good) return error;
  }
  return 0;
}

void MeasureTcp(const struct Address* address, double seconds) {
  struct Address copy = *address;
  MeasureThroughput(address, seconds / 3);
  int fd = Open(address, kEcho);
  if (fd == -1) {
    SayCannotCall("network/tcp/round-trip", "connect", errno);
  } else {
    MeasureTrips("network/tcp/round-trip", fd, TripTcp, NULL, seconds / 3);
    close(fd);
  }
  Measure((struct Figure){"network/tcp/connections", "1/s"}, Greet, &copy, seconds / 3);
}

void MeasureUdp(const struct Address* address, double seconds) {
  int fd = Connect(SOCK_DGRAM, address);
  if (fd == -1) {
    SayCannotCall("network/udp/round-trip", "connect", errno);
    return;
  }
  double lost = 0;
  if (MeasureTrips("network/udp/round-trip", fd, TripUdp, &lost, seconds))
    SayNumber("network/udp/lost", "count", lost);
  close(fd);
}

static void ReadToEnd(int fd) {
  static char block[kStreamBlock];
  uint64_t count = 0;
  for (ssize_t size; (size = read(fd, block, sizeof block)) > 0;) count += (uint64_t)size;
  count = htobe64(count);
  WriteAll(fd, &count, sizeof count);
  _exit(0);
}

void MeasureUnix(double seconds) {
  double rates[kPasses];
  for (size_t i = 0; i < kPasses; ++i) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1) {
      SayCannotCall("network/unix/throughput", "socketpair", errno);
      return;
    }
    pid_t pid = ForkWorker();
    int error = errno;
    if (pid == 0) {
      close(ends[0]);
      ReadToEnd(ends[1]);
    }
    close(ends[1]);
    rates[i] = pid == -1 ? 0 : Stream(ends[0], seconds / (int)kPasses);
    if (pid != -1) error = errno;
    close(ends[0]);
    EndWorker(pid);
    if (rates[i] <= 0) {
      SayCannotCall("network/unix/throughput", "a stream", error);
      return;
    }
  }
  SayResult("network/unix/throughput", "B/s", rates, kPasses);
}
