// SPDX-License-Identifier: Apache-2.0
//
// D-Bus server addresses (D-Bus specification, "Server Addresses"): what stands in
// DBUS_SESSION_BUS_ADDRESS. Only Unix sockets are of use here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kiste::sys::dbus {

struct UnixAddress {
  std::string name;  // a path, or the name of an abstract socket
  bool abstract = false;
  bool operator==(const UnixAddress&) const = default;
};

// The Unix sockets in a list like "unix:path=/run/user/1000/bus,guid=…;unix:abstract=x", in its
// order. `runtime_directory` is what "unix:runtime=yes" means. Other transports are passed over;
// kInvalid when the list is malformed or has no Unix socket.
Result<std::vector<UnixAddress>> ParseAddresses(std::string_view list,
                                                const std::string& runtime_directory);
// `path` as the value of a key in an address: with what needs it escaped.
std::string EscapeAddress(std::string_view path);

}  // namespace kiste::sys::dbus
