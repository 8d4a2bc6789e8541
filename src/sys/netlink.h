// SPDX-License-Identifier: Apache-2.0
//
// Network devices and their addresses over rtnetlink(7), as far as a device has to be moved from
// one network namespace to another (linux.netDevices). Errors carry what the kernel says in words
// (NETLINK_EXT_ACK, Linux 4.12).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace kiste::sys {

struct NetDevice {
  int index = 0;       // in its namespace
  uint32_t flags = 0;  // IFF_*, netdevice(7)
  std::string name;
};

struct NetAddress {
  uint8_t family = 0;  // AF_INET, AF_INET6
  uint8_t prefix_length = 0;
  uint8_t scope = 0;   // RT_SCOPE_*
  uint32_t flags = 0;  // IFA_F_*
  // IFA_* and its bytes in network order, but for the flags, the label and what changes by itself.
  std::vector<std::pair<uint16_t, std::string>> attributes;
};
// The address in letters with its prefix length: "10.0.0.1/24".
std::string AddressText(const NetAddress& address);

class Netlink {
 public:
  // Speaks to the network namespace of this process.
  static Result<Netlink> Open();
  // To the one behind the descriptor (/proc/<pid>/ns/net). The calling thread, which must be the
  // only one, is in there for a moment: CAP_SYS_ADMIN over both.
  static Result<Netlink> OpenIn(int network_namespace);

  // ENODEV when there is none of that name.
  Result<NetDevice> Device(const std::string& name);
  Result<std::vector<NetAddress>> Addresses(const NetDevice& device);
  // Gives the device, which is taken down and loses its addresses, to another namespace, where it
  // is called `name`.
  Status Move(const NetDevice& device, int network_namespace, const std::string& name);
  Status AddAddress(const NetDevice& device, const NetAddress& address);
  Status SetUp(const NetDevice& device);

 private:
  explicit Netlink(Fd socket) : socket_(std::move(socket)) {}
  Fd socket_;
  uint32_t sequence_ = 0;

  class Request;
  template <typename Each>
  Status Ask(Request& request, const std::string& operation, const Each& each);
  Status Do(Request& request, const std::string& operation);
};

}  // namespace kiste::sys
