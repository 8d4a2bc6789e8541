// SPDX-License-Identifier: Apache-2.0
#include "runtime/lifecycle.h"

#include <sched.h>
#include <signal.h>

#include <algorithm>

#include "base/deadline.h"
#include "base/strings.h"
#include "isolation/namespaces/launch.h"
#include "runtime/cgroup_claims.h"
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
constexpr std::chrono::milliseconds kLeaveWait{2'000};  // for an `exec` that finds nobody to join

std::unexpected<Error> WrongState(const Container& container, ContainerStatus status,
                                  std::string_view wish) {
  return Fail(ErrorKind::kState, StrCat("cannot ", wish, " container ", Quote(container.record.id),
                                        ": it is ", StatusName(status)));
}

// What a deletion goes by.
struct Deletion {
  const Store& store;
  const Container& container;
  const cg::Cgroup& cgroup;
  const Warn& warn;

  bool HasCgroup() const { return !container.record.cgroups.empty(); }
};

// Ends what is in the cgroup of a container whose first process is gone. False when that is not the
// container's: then the cgroup is not either.
Result<bool> KillRest(const Deletion& of) {
  if (!of.HasCgroup()) return true;
  switch (TRY(OccupantsOf(of.store, of.container, of.cgroup))) {
    case Occupants::kNone:
      return true;
    case Occupants::kOurs:
      TRY(of.cgroup.KillAll(SIGKILL));
      return true;
    case Occupants::kAnother:
      return false;
    case Occupants::kStrangers:
      break;
  }
  if (of.cgroup.WaitEmpty(kLeaveWait)) return true;
  of.warn(StrCat("cgroup ", of.container.record.cgroups.begin()->second,
                 " is left: processes are in it that are not of this container"));
  return false;
}

// Signals all processes of the container, again and again: somebody else may freeze it once more,
// or start another process in it. Waits until the first one is gone. False as with KillRest.
Result<bool> KillEverything(const Deletion& of) {
  auto process = of.container.Process();
  if (!process) return KillRest(of);
  auto deadline = Deadline::In(kKillWait);
  while (true) {
    static_cast<void>(sys::PidfdSendSignal(process->get(), SIGKILL));
    // A frozen process does not die; without a pid namespace others outlive the first.
    Status killed;
    if (of.HasCgroup()) killed = of.cgroup.KillAll(SIGKILL);
    auto pause = std::min(kKillAgain, deadline.Left());
    if (TRY(sys::PidfdWaitExit(process->get(), static_cast<int>(pause.count())))) {
      TRY(std::move(killed));
      return true;
    }
    if (!deadline.Over()) continue;
    const auto& record = of.container.record;
    return Fail(
        ErrorKind::kTimeout,
        StrCat("container ", Quote(record.id), ": process ", record.pid, " did not end within ",
               kKillWait.count() / 1000, " s of SIGKILL (is a cgroup above it frozen?)"));
  }
}

// The same for a cgroup that an `exec` may just have brought a process to.
Status RemoveCgroup(const Deletion& of) {
  auto deadline = Deadline::In(kKillWait);
  while (true) {
    auto removed = of.cgroup.Remove(kKillAgain, of.container.record.kept_cgroups);
    if (removed || removed.error().kind != ErrorKind::kTimeout || deadline.Over()) return removed;
    if (!TRY(KillRest(of))) return {};
  }
}

Status RemoveCgroupAndUnit(const Deletion& of) {
  // An empty unit ends by itself: one that cannot be stopped is in nobody's way without its cgroup.
  auto stopped = StopUnit(of.container.record);
  if (of.HasCgroup()) TRY_STEP(RemoveCgroup(of), "cgroups");
  if (!stopped) of.warn(stopped.error().Text());
  return {};
}

void Poststop(const Container& container, const oci::Config& config, const Warn& warn) {
  RunHooksTolerantly(config.hooks.poststop, container.State(ContainerStatus::kStopped),
                     "hooks.poststop", [&](const Error& error) { warn(error.Text()); });
}

// With its cgroups only if they are the container's still.
Status RemoveAll(const Deletion& of, bool cgroup_is_ours, const oci::Config* config) {
  if (cgroup_is_ours) TRY(RemoveCgroupAndUnit(of));
  TRY_STEP(RemoveHostRoot(of.container.record), "mounts");
  TRY_STEP(RemoveRdt(of.container.record.rdt), "intel-rdt");
  auto removed = of.container.folder.Remove();
  // Whatever is left of the folder: nothing is of the container, and nobody will know its hooks.
  if (config != nullptr) Poststop(of.container, *config, of.warn);
  return removed;
}

}  // namespace

Status DeleteLocked(const Store& store, const Container& container, Force force, const Warn& warn) {
  auto cgroup = TRY(sys::cgroup::Cgroup::Open(container.record.cgroups));
  if (force == Force::kNo) {
    auto status = TRY(container.Status());
    if (status == ContainerStatus::kRunning || status == ContainerStatus::kPaused) {
      return WrongState(container, status, "delete");
    }
  }
  auto config = container.folder.LoadConfig();
  Deletion deletion{store, container, cgroup, warn};
  bool cgroup_is_ours = TRY(KillEverything(deletion));
  return RemoveAll(deletion, cgroup_is_ours, config ? &*config : nullptr);
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
    if (process) {
      static_cast<void>(sys::PidfdSendSignal(process->get(), signal));
    } else if (TRY(OccupantsOf(store, container, cgroup)) != Occupants::kOurs) {
      return {};
    }
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
  if (signal != SIGKILL || !cgroup.IsFrozen().value_or(false)) return {};
  auto thawed = cgroup.Thaw();
  bool still_there = container.Process().has_value();  // else another command was faster
  return still_there ? thawed : Status();
}

Status DeleteStopped(const Store& store, const Container& container, const oci::Config& config,
                     const Warn& warn) {
  auto cgroup = TRY(sys::cgroup::Cgroup::Open(container.record.cgroups));
  auto locked = container.folder.Lock();
  if (!locked && locked.error().kind == ErrorKind::kNotFound) return {};  // by somebody else
  TRY(std::move(locked));
  Deletion deletion{store, container, cgroup, warn};
  bool alone = (container.record.namespaces & CLONE_NEWPID) != 0;
  bool cgroup_is_ours = alone || TRY(KillRest(deletion));
  return RemoveAll(deletion, cgroup_is_ours, &config);
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
      TRY(KillEverything({store, running, cgroup, warn}));
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
  return DeleteLocked(store, Container{std::move(*folder), std::move(*record)}, force, warn);
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
