// SPDX-License-Identifier: Apache-2.0
#include "runtime/run.h"

#include <sys/prctl.h>

#include "runtime/foreground.h"
#include "runtime/lifecycle.h"
#include "sys/socket.h"

namespace kiste::runtime {

namespace {

Result<int> RunDetached(const Store& store, CreateRequest request) {
  Warn warn = request.warn;
  auto created = TRY(Create(store, std::move(request)));
  auto poststart = RunPoststart(created.container, created.config);
  if (!poststart) {
    // Under the lock that it still has: after it the id may be another container's.
    auto deleted = DeleteLocked(store, created.container, Force::kYes, warn);
    if (!deleted) warn(deleted.error().Text());
    return std::unexpected(std::move(poststart).error());
  }
  created.container.folder.Unlock();
  created.notify.Wait(created.process.pid, created.process.pidfd);
  return 0;
}

}  // namespace

Result<int> Run(const Store& store, RunRequest request) {
  request.create.wait_for_start = false;
  Warn warn = request.create.warn;
  if (request.detach) return RunDetached(store, std::move(request.create));
  if (request.subreaper) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  auto signals = TRY(SignalGuard::Block());
  Fd terminal_from;
  if (request.create.console_socket.empty()) {
    auto pair = TRY(sys::MakeSocketPair());
    terminal_from = std::move(pair.ours);
    request.create.console = std::move(pair.theirs);
  }
  auto created = TRY(Create(store, std::move(request.create)));
  Fd terminal;
  if (created.config.process->terminal && terminal_from) {
    terminal = TRY(sys::ReceiveDescriptor(terminal_from.get()));
  }
  auto poststart = RunPoststart(created.container, created.config);
  created.container.folder.Unlock();  // for who pauses or deletes it while it runs
  auto code = WaitForeground(created.process, signals, std::move(terminal), &created.notify);
  if (!request.keep) TRY(DeleteStopped(store, created.container, created.config, warn));
  if (!poststart) return std::unexpected(std::move(poststart).error());
  return code;
}

}  // namespace kiste::runtime
