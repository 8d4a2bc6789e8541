// SPDX-License-Identifier: Apache-2.0
//
// network: a client and a server, both here on the loopback; or apart, with --listen and --connect.
//   network/tcp/throughput B/s, /retransmits count   one stream to the server
//   network/tcp/round-trip/p50, /p99 ns              64 bytes there and back
//   network/tcp/connections 1/s                      connect, a byte there and back, close
//   network/udp/round-trip/p50, /p99 ns, /lost count
//   network/unix/throughput B/s                      a stream between two processes; not with
//   --connect
#include "network.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "ending.h"
#include "line.h"
#include "option.h"
#include "subcommands.h"
#include "timing.h"
#include "worker.h"

// Both sockets on one port; the datagrams' is -1 where there is none.
static int BindBoth(struct Address* address, int* datagrams) {
  BringLoopbackUp();
  int listener = Bind(SOCK_STREAM, address);
  *datagrams = listener == -1 ? -1 : Bind(SOCK_DGRAM, address);
  return listener;
}

static int Listen(struct Address* address) {
  int datagrams = -1;
  int listener = BindBoth(address, &datagrams);
  if (listener == -1) return ComplainCall("network: --listen: bind", errno);
  SayReady();
  ServeNetwork(listener, datagrams);
  return 0;
}

static void MeasureHere(double seconds) {
  struct Address address = Loopback();
  int datagrams = -1;
  int listener = BindBoth(&address, &datagrams);
  int error = errno;
  pid_t server = -1;
  if (listener != -1) {
    AdoptOrphans();
    server = ForkWorker();
    error = errno;
    if (server == 0) ServeNetwork(listener, datagrams);
  }
  if (server == -1) {
    SayCannotCall("network/tcp", "a server on the loopback", error);
    SayCannotCall("network/udp", "a server on the loopback", error);
  } else {
    MeasureTcp(&address, seconds * 0.6);
    MeasureUdp(&address, seconds * 0.2);
    EndWorker(server);
    AwaitAll();
  }
  if (!Ended()) MeasureUnix(seconds * 0.2);
}

int RunNetwork(char** words) {
  const char* there = NULL;
  const char* here = NULL;
  long port = 7077;
  double seconds = 4;
  const struct Option options[] = {
      {"--connect", "ADDRESS", .text = &there},
      {"--listen", "ADDRESS", .text = &here},
      {"--port", "P", .number = &port, .least = 1, .most = 65535},
      SECONDS_OPTION(&seconds),
  };
  if (!ReadOptions("network", options, 4, words)) return kUsage;
  if (there && here) {
    Complain("network: expected one of --connect and --listen, found both");
    return kUsage;
  }
  struct Address address;
  const char* given = there ? there : here;
  if (given && !ParseAddress(given, port, &address)) {
    Complain("network: %s: expected an IPv4 or IPv6 address, found '%s'",
             there ? "--connect" : "--listen", given);
    return kUsage;
  }
  if (here) return Listen(&address);
  if (!there) {
    MeasureHere(seconds);
  } else {
    MeasureTcp(&address, seconds * 0.75);
    MeasureUdp(&address, seconds * 0.25);
  }
  return Ended();
}
