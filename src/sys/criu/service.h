// SPDX-License-Identifier: Apache-2.0
//
// CRIU as a service of one request: `criu swrk <socket>`, a child that is asked over a
// SOCK_SEQPACKET pair and answers with notifications, each of which waits for ours, and a response
// (https://criu.org/RPC). Used by runtime/checkpoint.cc and runtime/restore.cc.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "sys/cgroup2_options.h"
#include "sys/criu/rpc.h"

namespace kiste::sys::criu {

// Where `criu` is in $PATH, in which it looks for its own helpers too (ip, iptables, tar).
// kUnsupported when it is nowhere.
Result<std::string> FindProgram();

struct Start {
  std::string program;       // FindProgram
  std::vector<int> inherit;  // descriptors that criu has under the same number
  // Both or none: criu gets a mount namespace of its own, a slave of this one, in which `root` is
  // bound, recursively, over the directory `over`. Nothing of it outlives criu.
  std::string root, over;
  // Directories that are opened once more, in there, by their paths: criu mounts on what is below.
  std::vector<std::pair<int, std::string>> reopen;
};

class Service {
 public:
  // What criu tells on its way; `fd` comes with "orphan-pts-master". An error is told criu, which
  // then undoes its work.
  using Listener = std::function<Status(const Response& notification, Fd fd)>;

  static Result<Service> Open(const Start& start);
  Service(Service&&) = default;
  Service& operator=(Service&&) = delete;
  // A criu that is not done loses its socket, gives up, and is waited for.
  ~Service();

  pid_t pid() const { return pid_; }
  // Sends the request and waits for its response, for as long as criu takes: its work grows with
  // the memory of what it dumps, and with --lazy-pages it waits for another host. Fails with
  // kSystem when criu did not succeed, and with the listener's error when it was that.
  Result<Response> Ask(const std::string& request, const Listener& listener);
  // For a listener whom criu would not obey: kills it. Ask then fails with the listener's error.
  void Kill() const;
  // Hangs up and reaps criu, and gives the host's cgroup2 the options again that criu dropped.
  Status Close();
  // What criu wrote to its standard output and error.
  std::string Output() const;

 private:
  Service(pid_t pid, Fd pidfd, Fd socket, Fd output, Cgroup2Options cgroup2)
      : pid_(pid),
        pidfd_(std::move(pidfd)),
        socket_(std::move(socket)),
        output_(std::move(output)),
        cgroup2_(std::move(cgroup2)) {}

  pid_t pid_;
  Fd pidfd_, socket_, output_;
  Cgroup2Options cgroup2_;  // as they were before
};

}  // namespace kiste::sys::criu
