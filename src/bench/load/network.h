// SPDX-License-Identifier: Apache-2.0
//
// The server of the subcommand `network`, and what its clients say to it: a connection begins with
// a byte that says what it is for.
#pragma once

#include "loopback.h"

enum {
  kGreet = 'g',  // one byte comes back, and the connection ends
  kEcho = 'e',   // messages of kMessage bytes come back
  kSink = 's',   // all is read; at its end the number of bytes comes back (8 bytes, big endian)
};
enum { kMessage = 64, kStreamBlock = 128 << 10 };

// Until it is told to end. `datagrams` is a socket whose datagrams go back, or -1.
void ServeNetwork(int listener, int datagrams);

// Each says its figures, or that it cannot.
void MeasureTcp(const struct Address* address, double seconds);
void MeasureUdp(const struct Address* address, double seconds);
void MeasureUnix(double seconds);
