// SPDX-License-Identifier: Apache-2.0
//
// Unix sockets (unix(7)): pairs, listeners and connections by directory descriptor and name (a
// socket's path is limited to 107 bytes, a state folder's is not), descriptors in messages.
#pragma once

#include <optional>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace kiste::sys {

struct SocketPair {
  Fd ours, theirs;
};
// A pair that keeps message boundaries (SOCK_SEQPACKET).
Result<SocketPair> MakeSocketPair();
// A listening SOCK_SEQPACKET socket called `name` in `directory`.
Result<Fd> ListenAt(int directory, const std::string& name);
Result<Fd> ConnectAt(int directory, const std::string& name);
// A stream socket connected to `path` (console sockets, seccomp agents).
Result<Fd> ConnectStream(const std::string& path);
// One message of at most `size` bytes; 0 at the end of file.
Result<size_t> Receive(int socket, void* bytes, size_t size);
// Never raises SIGPIPE: EPIPE is an error like others.
Status Send(int socket, const void* bytes, size_t size);
// Sends `fd` with one byte or more of `text`.
Status SendDescriptor(int socket, int fd, const std::string& text);
// The descriptor in the next message; invalid at the end of file.
Result<Fd> ReceiveDescriptor(int socket);

}  // namespace kiste::sys
