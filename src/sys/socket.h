// SPDX-License-Identifier: Apache-2.0
//
// Unix sockets (unix(7)): pairs, listeners and connections by directory descriptor and name (a
// socket's path is limited to 107 bytes, a state folder's is not), descriptors in messages.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/deadline.h"
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
// kTimeout when those who came before were not accepted until the deadline; sending on the socket
// is limited to the time that was given for connecting.
Result<Fd> ConnectAt(int directory, const std::string& name,
                     Deadline deadline = Deadline::In(kPatience));
// Whether somebody listens there. Does not wait.
bool Listens(int directory, const std::string& name);
// A stream socket connected to `path` (console sockets, seccomp agents), as ConnectAt.
Result<Fd> ConnectStream(const std::string& path, Deadline deadline = Deadline::In(kPatience));
// A datagram socket connected to `path`, or to the abstract address behind an "@" (unix(7)).
// Sending is limited to the time that is left now.
Result<Fd> ConnectDatagram(const std::string& path, Deadline deadline = Deadline::In(kPatience));
// One that receives under `name` in `directory`, from whom `mode` lets write to it.
Result<Fd> BindDatagramAt(int directory, const std::string& name, mode_t mode);
// pipe(2): ours reads, theirs writes.
Result<SocketPair> MakePipe();
// One message of at most `size` bytes; 0 at the end of file. kTimeout when there is none until the
// deadline.
Result<size_t> Receive(int socket, void* bytes, size_t size,
                       Deadline deadline = Deadline::In(kPatience));
// Never raises SIGPIPE: EPIPE is an error like others.
Status Send(int socket, const void* bytes, size_t size);
// Sends `fd` with one byte or more of `text`.
Status SendDescriptor(int socket, int fd, const std::string& text);
// A message and the descriptor that it brought; both empty at the end of file.
struct Delivery {
  std::string bytes;
  Fd fd;
  bool cut = false;  // the message was longer than the limit
};
// Waits without a limit.
Result<Delivery> ReceiveDelivery(int socket, size_t limit);
// The descriptor in the next message; invalid at the end of file.
Result<Fd> ReceiveDescriptor(int socket, Deadline deadline = Deadline::In(kPatience));

}  // namespace kiste::sys
