// SPDX-License-Identifier: Apache-2.0
#include "runtime/lifecycle.h"

#include <sched.h>
#include <signal.h>

#include <algorithm>

#include "base/deadline.h"
#include "base/strings.h"
#include "isolation/namespaces/launch.h"
#include "runtime/hooks.h"
#include "runtime/host_root.h"
#include "runtime/intel_rdt.h"
#include "runtime/notify_socket.h"
#include "runtime/systemd_unit.h"
#include "sys/cgroup/cgroup.h"
#include "sys/file.h"
#include "sys/pidfd.h"

namespace kiste::runtime {

namespace {

namespace cg = sys::cgroup;

constexpr std::chrono::milliseconds kKillWait{10'000};  // how long a SIGKILL may take
constexpr std::chrono::milliseconds kKillAgain{200};    // until it is sent once more

std::unexpected<Error> WrongState(const Container& container, ContainerStatus status,
                                  std::string_view wish) {
  return Fail(ErrorKind::kState, StrCat("cannot ", wish, " container ", Quote(container.record.id),
                                        ": it is ", StatusName(status)));
}

// Signals all processes of the container, again and again: somebody else may freeze it once more,
// or start another process in it. Waits until the first one is gone.
Status KillEverything(const Container& container, const cg::Cgroup& cgroup) {
  auto process = container.Process();
  auto deadline = Deadline::In(kKillWait);
  while (true) {
    if (process) static_cast<void>(sys::PidfdSendSignal(process->get(), SIGKILL));
    // A frozen process does not die; without a pid namespace others outlive the first.
    Status killed;
    if (!container.record.cgroups.empty()) killed = cgroup.KillAll(SIGKILL);
    if (!process) return killed;
    auto pause = std::min(kKillAgain, deadline.Left());
    if (TRY(sys::PidfdWaitExit(process->get(), static_cast<int>(pause.count())))) return killed;
    if (!deadline.Over()) continue;
    return Fail(ErrorKind::kTimeout,
                StrCat("container ", Quote(container.record.id), ": process ", container.record.pid,
                       " did not end within ", kKillWait.count() / 1000,
                       " s of SIGKILL (is a cgroup above it frozen?)"));
  }
}

// The same for a cgroup that an `exec` may just have brought a process to.
Status RemoveCgroup(const cg::Cgroup& cgroup, const std::vector<std::string>& kept) {
  auto deadline = Deadline::In(kKillWait);
  while (true) {
    auto removed = cgroup.Remove(kKillAgain, kept);
    if (removed || removed.error().kind != ErrorKind::kTimeout || deadline.Over()) return removed;
    TRY(cgroup.KillAll(SIGKILL));
  }
}

Status RemoveAll(const Container& container, const cg::Cgroup& cgroup, const Warn& warn) {
  // An empty unit ends by itself: one that cannot be stopped is in nobody's way without its cgroup.
  auto stopped = StopUnit(container.record);
  const auto& record = container.record;
  if (!record.cgroups.empty()) TRY_STEP(RemoveCgroup(cgroup, record.kept_cgroups), "cgroups");
  if (!stopped) warn(stopped.error().Text());
  TRY_STEP(RemoveHostRoot(container.record), "mounts");
  TRY_STEP(RemoveRdt(container.record.rdt), "intel-rdt");
  return container.folder.Remove();
}

void Poststop(const Container& container, const oci::Config& config, const Warn& warn) {
  RunHooksTolerantly(config.hooks.poststop, container.State(ContainerStatus::kStopped),
                     "hooks.poststop", [&](const Error& error) { warn(error.Text()); });
}

}  // namespace

Status DeleteLocked(const Container& container, Force force, const Warn& warn) {
  auto cgroup = TRY(sys::cgroup::Cgroup::Open(container.record.cgroups));
  if (force == Force::kNo) {
    auto status = TRY(container.Status());
    if (status == ContainerStatus::kRunning || status == ContainerStatus::kPaused) {
      return WrongState(container, status, "delete");
    }
  }
  auto config = container.folder.LoadConfig();
  TRY(KillEverything(container, cgroup));
  TRY(RemoveAll(container, cgroup, warn));
  if (config) Poststop(container, *config, warn);
  return {};
}

Status RunPoststart(const Container& container, const oci::Config& config) {
  auto ran = RunHooks(config.hooks.poststart, container.State(ContainerStatus::kRunning),
                      "hooks.poststart");
  if (ran) return {};
  if (auto process = container.Process())
    static_cast<void>(sys::PidfdSendSignal(process->get(), SIGKILL));
  return AtStep(std::move(ran), "hooks");
}

Status Start(const Store& store, const std::string& id, const std::string& manager_socket) {
  auto container = TRY(LockContainer(store, id));
  auto status = TRY(container.Status());
  if (status != ContainerStatus::kCreated) return WrongState(container, status, "start");
  auto config = TRY(container.folder.LoadConfig());
  if (!config.process) return Invalid("config.json: process: expected what to run, found nothing");
  auto notify = TRY_STEP(NotifySocket::Listen(container.folder, manager_socket), "notify-socket");
  auto deadline = isolation::DeadlineWithHooks(store.patience(), config.hooks.start_container);
  auto released = isolation::ReleaseStart(container.folder.directory(), kStartSocket, deadline);
  bool silent = !released && released.error().kind == ErrorKind::kTimeout;
  if (!silent) static_cast<void>(sys::UnlinkAt(container.folder.directory(), kStartSocket));
  if (!released) return released;
  TRY(RunPoststart(container, config));
  container.folder.Unlock();  // the manager's patience with the service is nobody else's business
  if (auto process = container.Process()) notify.Wait(container.record.pid, *process);
  return {};
}

Status Kill(const Store& store, const std::string& id, int signal, KillScope scope) {
  auto container = TRY(LoadContainer(store, id));
  auto cgroup = TRY(sys::cgroup::Cgroup::Open(container.record.cgroups));
  bool own_pids = (container.record.namespaces & CLONE_NEWPID) != 0;
  // Where the first process's end does not end the others, SIGKILL is for all of them.
  bool all = scope == KillScope::kAll || (signal == SIGKILL && !own_pids);
  auto process = container.Process();
  if (all && !container.record.cgroups.empty()) {
    if (process) static_cast<void>(sys::PidfdSendSignal(process->get(), signal));
    return cgroup.KillAll(signal);
  }
  if (!process) {
    if (scope == KillScope::kAll) return {};
    return std::unexpected(std::move(process).error());
  }
  auto sent = sys::PidfdSendSignal(process->get(), signal);
  if (!sent && sent.error().errno_value == ESRCH) {
    return NotRunning(id);
  }
  if (!sent) return sent;
  if (signal == SIGKILL && cgroup.IsFrozen().value_or(false)) return cgroup.Thaw();
  return {};
}

Status DeleteStopped(const Container& container, const oci::Config& config, const Warn& warn) {
  auto cgroup = TRY(sys::cgroup::Cgroup::Open(container.record.cgroups));
  auto locked = container.folder.Lock();
  if (!locked && locked.error().kind == ErrorKind::kNotFound) return {};  // by somebody else
  TRY(std::move(locked));
  if (!container.record.cgroups.empty() && (container.record.namespaces & CLONE_NEWPID) == 0) {
    TRY(cgroup.KillAll(SIGKILL));
  }
  TRY(RemoveAll(container, cgroup, warn));
  Poststop(container, config, warn);
  return {};
}

Status Delete(const Store& store, const std::string& id, Force force, const Warn& warn) {
  auto folder = store.Find(id);
  if (!folder) {
    if (force == Force::kYes && folder.error().kind == ErrorKind::kNotFound) return {};
    return std::unexpected(std::move(folder).error());
  }
  if (force == Force::kYes) {
    // Whoever holds the lock may be waiting for the container: end that first.
    if (auto record = folder->Load()) {
      Container running{std::move(*folder), std::move(*record)};
      auto cgroup = TRY(sys::cgroup::Cgroup::Open(running.record.cgroups));
      TRY(KillEverything(running, cgroup));
      folder = std::move(running.folder);
    }
  }
  auto locked = folder->Lock();
  if (!locked) {
    bool gone = locked.error().kind == ErrorKind::kNotFound;  // another command was faster
    if (gone && force == Force::kYes) return {};
    return locked;
  }
  auto record = folder->Load();
  if (!record) {  // a create that was killed before it had anything to record
    if (force == Force::kYes && record.error().kind == ErrorKind::kNotFound)
      return folder->Remove();
    return std::unexpected(std::move(record).error());
  }
  return DeleteLocked(Container{std::move(*folder), std::move(*record)}, force, warn);
}

Status Pause(const Store& store, const std::string& id) {
  auto container = TRY(LockContainer(store, id));
  auto status = TRY(container.Status());
  if (status != ContainerStatus::kRunning && status != ContainerStatus::kCreated) {
    return WrongState(container, status, "pause");
  }
  auto cgroup = TRY(sys::cgroup::Cgroup::Open(container.record.cgroups));
  return cgroup.Freeze();
}

Status Resume(const Store& store, const std::string& id) {
  auto container = TRY(LockContainer(store, id));
  auto status = TRY(container.Status());
  if (status != ContainerStatus::kPaused) return WrongState(container, status, "resume");
  auto cgroup = TRY(sys::cgroup::Cgroup::Open(container.record.cgroups));
  return cgroup.Thaw();
}

Result<std::vector<pid_t>> Processes(const Store& store, const std::string& id) {
  auto container = TRY(LoadContainer(store, id));
  if (container.record.cgroups.empty()) {
    return Fail(ErrorKind::kUnsupported,
                StrCat("container ", Quote(id), " has no cgroup that tells its processes"));
  }
  auto cgroup = TRY(sys::cgroup::Cgroup::Open(container.record.cgroups));
  return cgroup.Pids();
}

}  // namespace kiste::runtime
