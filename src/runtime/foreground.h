// SPDX-License-Identifier: Apache-2.0
//
// Being the caller's stand-in for a process in the container (`run`, `exec` without --detach):
// signals are passed on to it, its terminal is connected to ours, its exit code becomes ours.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "isolation/namespaces/launch.h"
#include "runtime/notify_socket.h"

namespace kiste::runtime {

// Blocks the signals that will be forwarded, so that none is lost between launch and wait.
class SignalGuard {
 public:
  static Result<SignalGuard> Block();
  SignalGuard(SignalGuard&&) = default;
  SignalGuard& operator=(SignalGuard&&) = delete;
  int fd() const { return fd_.get(); }

 private:
  explicit SignalGuard(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

// Waits for the process and reaps it; its exit code, or 128 + the signal that killed it.
// `terminal`: the master of its pty, or invalid. Our standard input, if a terminal, is in raw mode
// meanwhile and follows window sizes. `notify`, unless null, tells a service manager when the
// container is ready; the main process is this one. Fails with kTimeout when the process has ended
// and its exit code is withheld (sys::Reap). Other children that end, the orphans that a
// subreaper adopts, are reaped meanwhile.
Result<int> WaitForeground(const isolation::Launched& process, const SignalGuard& signals,
                           Fd terminal, NotifySocket* notify = nullptr);

}  // namespace kiste::runtime
