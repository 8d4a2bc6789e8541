// SPDX-License-Identifier: Apache-2.0
//
// A client's connection to a D-Bus peer or bus: authentication, method calls with their replies,
// and signals that are waited for. One thread, nothing in the background, and every wait ends at a
// deadline. Used by the systemd cgroup driver (docs/decisions/0009-systemd-and-dbus.md says why it
// is our own).
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/dbus/message.h"
#include "sys/dbus/stream.h"

namespace kiste::sys::dbus {

// A bus (dbus-daemon, dbus-broker) gives its clients names and routes messages; a peer, like
// systemd at its private sockets, is the service itself.
enum class Peer { kBus, kService };

struct Method {
  std::string destination, path, interface, member;
  std::vector<Value> arguments;
};

// What a call came to: the values, or the error that the other side sent.
struct Reply {
  std::string error_name, error_text;  // "" when it succeeded
  std::vector<Value> values;
};

class Connection {
 public:
  // Connects to the first address that answers and authenticates. Fails with the last one's error.
  static Result<Connection> Open(const std::vector<UnixAddress>& addresses, Peer peer,
                                 Deadline deadline);
  // The same on a socket that is connected already. EXTERNAL: the server takes the uid from the
  // socket (SO_PEERCRED) and compares it with the claimed one; kNone claims none, which is right in
  // a user namespace, where this process cannot know how the server sees it. kSystem with EACCES
  // when the server rejects the claim.
  enum class Claim { kUid, kNone };
  static Result<Connection> Start(Stream stream, Peer peer, Claim claim, Deadline deadline);

  // Calls and waits for the reply; signals that arrive meanwhile are kept if they are expected.
  // An error that the other side sends is a Reply; Status errors are the transport's.
  Result<Reply> Call(const Method& method, Deadline deadline);

  // From now on signals `interface`.`member` are kept for WaitSignal; on a bus, asks for them.
  Status ExpectSignal(std::string_view interface, std::string_view member, Deadline deadline);
  // The next expected signal for which `wanted` is true; those before it are dropped.
  Result<Message> WaitSignal(const std::function<bool(const Message&)>& wanted, Deadline deadline);

 private:
  Connection(Stream stream, Peer peer) : stream_(std::move(stream)), peer_(peer) {}
  Status Authenticate(Claim claim, Deadline deadline);
  Result<Message> Next(Deadline deadline);
  bool IsExpected(const Message& message) const;

  Stream stream_;
  Peer peer_;
  uint32_t serial_ = 0;
  std::string expected_interface_, expected_member_;
  std::deque<Message> signals_;
};

}  // namespace kiste::sys::dbus
