// SPDX-License-Identifier: Apache-2.0
//
// Stream sockets that listen: in the abstract namespace (unix(7)), under a path, on the loopback
// interface (ip(7)). None of them blocks.
#pragma once

#include <cstdint>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace kiste::sys {

Result<Fd> ListenAbstract(const std::string& name);
// Whoever can reach the path may connect.
Result<Fd> ListenPath(const std::string& path);
struct PortListener {
  Fd fd;
  uint16_t port = 0;
};
// On 127.0.0.1, on a port that the kernel chooses.
Result<PortListener> ListenLoopback();

}  // namespace kiste::sys
