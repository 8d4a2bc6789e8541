// SPDX-License-Identifier: Apache-2.0
//
// sd_notify(3) from inside a container. Where the runtime is a service of a manager that waits for
// READY=1 (NOTIFY_SOCKET is set), the container gets a socket of its own at /run/notify/notify.sock
// and the variable with that path; who starts the container passes READY on, with the process that
// the manager is to watch from then on. Nothing else is passed on: a container does not get to tell
// the manager about processes, descriptors or watchdogs. The same as in runc.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "oci/config.h"
#include "runtime/store.h"

namespace kiste::runtime {

// The address of the manager's socket, from this process' environment; "" when there is no manager.
std::string ManagerSocket();

// Makes the socket's folder in the container's and adds it to the mounts and the environment.
Status OfferNotifySocket(const ContainerFolder& folder, oci::Config& config);

class NotifySocket {
 public:
  // None: a relay that has nothing to do.
  NotifySocket() = default;
  // Begins to listen; none when the manager cannot be reached (the variable may be left over from
  // somebody else, and runc passes that over too) or the container was offered no socket.
  static Result<NotifySocket> Listen(const ContainerFolder& folder, const std::string& manager);

  // To be polled for input; -1 when there is nothing to wait for (any more).
  int fd() const { return container_.get(); }
  // Takes what has come. When the container is ready the manager is told so, and that `main_pid` is
  // the service's main process; then it is over. True at that moment.
  bool Relay(pid_t main_pid);
  // Waits for READY or for the end of the process, which the manager limits (TimeoutStartSec=), and
  // then until the manager has taken it in, at most 30 s: it asks for the sender's pid.
  void Wait(pid_t main_pid, const Fd& process);

 private:
  NotifySocket(Fd container, Fd manager)
      : container_(std::move(container)), manager_(std::move(manager)) {}
  void Barrier() const;

  Fd container_, manager_;
};

}  // namespace kiste::runtime
