// SPDX-License-Identifier: Apache-2.0
#include "runtime/mounts.h"

#include <sched.h>

#include "base/strings.h"
#include "isolation/namespaces/launch.h"
#include "runtime/container.h"
#include "runtime/plan.h"
#include "sys/file.h"
#include "sys/pidfd.h"

namespace kiste::runtime {

namespace {

constexpr int kKillMs = 2000;  // how long a SIGKILL may take

// Every one but the file systems' own needs no more than these.
constexpr int kMountNamespaces = CLONE_NEWUSER | CLONE_NEWNS;

Status CheckStatus(const Container& container) {
  auto status = TRY(container.Status());
  if (status == ContainerStatus::kCreating || status == ContainerStatus::kStopped) {
    return Fail(ErrorKind::kState,
                StrCat("cannot change the mounts of container ", Quote(container.record.id),
                       ": it is ", StatusName(status)));
  }
  if ((container.record.namespaces & CLONE_NEWNS) != 0) return {};
  return Fail(ErrorKind::kUnsupported,
              StrCat("container ", Quote(container.record.id),
                     " has no mount namespace of its own: its mounts are the host's"));
}

Status Change(const Store& store, const Container& container, int namespaces,
              isolation::MountChange change) {
  const auto& record = container.record;
  isolation::LaunchPlan plan;
  plan.id = record.id;
  plan.patience = store.patience();
  plan.scratch = store.directory();
  plan.privileged_runtime = CurrentCaller().uid == 0;
  plan.namespaces.become_root = (record.namespaces & CLONE_NEWUSER) != 0;
  isolation::NamespaceJoin join;
  join.fd = TRY(container.Process());
  join.flags = record.namespaces & namespaces;
  join.path = StrCat("of process ", record.pid);
  plan.namespaces.join.push_back(std::move(join));
  plan.mount_change = std::move(change);
  auto launched = TRY_STEP(isolation::Launch(plan, {}), "launch");
  // It has said that all is done, and has nothing left to do but end.
  sys::KillChild(launched.pidfd.get(), launched.pid, kKillMs);
  return {};
}

Status CheckAddable(const oci::Mount& mount, size_t index) {
  std::string_view what = mount.remount                           ? "a remount"
                          : mount.type == "cgroup" && !mount.bind ? "a cgroup mount"
                                                                  : "";
  if (what.empty()) return {};
  return Fail(ErrorKind::kUnsupported, StrCat("mounts[", index, "]: ", what, " (on ",
                                              mount.destination, ") cannot be added"));
}

}  // namespace

Status AddMounts(const Store& store, const std::string& id, const std::vector<oci::Mount>& mounts,
                 Warn warn) {
  auto container = TRY(LoadContainer(store, id));
  TRY_STEP(CheckStatus(container), "state");
  auto config = TRY_STEP(container.folder.LoadConfig(), "state");
  MountRequest request{.linux = config.linux,
                       .bundle = container.record.bundle,
                       .open_sources = true,
                       .warn = std::move(warn)};
  isolation::MountChange change;
  int namespaces = kMountNamespaces;
  for (size_t i = 0; i < mounts.size(); ++i) {
    TRY(CheckAddable(mounts[i], i));
    change.add.push_back(TRY_STEP(PlanMount(request, mounts[i], i), "plan"));
    if (!mounts[i].bind) namespaces = ~0;
  }
  return Change(store, container, namespaces, std::move(change));
}

Status RemoveMounts(const Store& store, const std::string& id,
                    const std::vector<std::string>& destinations) {
  auto container = TRY(LoadContainer(store, id));
  TRY_STEP(CheckStatus(container), "state");
  isolation::MountChange change;
  for (const auto& destination : destinations) {
    change.remove.push_back(sys::CleanPath(destination));
    if (change.remove.back() == "/")
      return Invalid("destination: the container's root cannot be removed");
  }
  return Change(store, container, kMountNamespaces, std::move(change));
}

}  // namespace kiste::runtime
