// SPDX-License-Identifier: Apache-2.0
//
// linux.netDevices (config-linux.md, "Network Devices"): devices of the host that the container's
// network namespace gets, renamed if wanted, up, with their permanent addresses of global scope.
// When that namespace ends the kernel gives physical devices back and ends virtual ones
// (network_namespaces(7)); only a `create` that fails brings them back itself.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "sys/netlink.h"

namespace kiste::runtime {

class NetDevices {
 public:
  // `wanted`: name on the host → name inside; "" keeps it, "%d" stands for the first free number.
  // `pid` is in the namespace that they are moved to.
  Status Move(const std::map<std::string, std::string>& wanted, pid_t pid);
  // Back to the host as they were, as far as that goes.
  void Undo();

 private:
  struct Moved {
    std::string name, inside;
    bool up = false;
    std::vector<sys::NetAddress> addresses;
  };
  Status MoveOne(sys::Netlink& host, sys::Netlink& container, const std::string& name,
                 const std::string& inside);

  Fd home_, away_;  // the two namespaces
  std::vector<Moved> moved_;
};

}  // namespace kiste::runtime
