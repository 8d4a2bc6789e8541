// SPDX-License-Identifier: Apache-2.0
#include "runtime/container.h"

#include "base/strings.h"
#include "isolation/namespaces/launch.h"
#include "sys/cgroup/cgroup.h"
#include "sys/file.h"
#include "sys/pidfd.h"
#include "sys/procfs.h"

namespace kiste::runtime {

namespace {

// Whether the recorded process is there and has not ended.
bool IsAlive(const Record& record) {
  if (record.pid == 0) return false;
  auto stat = sys::StatProcess(record.pid);
  return stat && stat->start_time == record.start_time && stat->state != 'Z' && stat->state != 'X';
}

}  // namespace

std::string_view StatusName(ContainerStatus status) {
  switch (status) {
    case ContainerStatus::kCreating:
      return "creating";
    case ContainerStatus::kCreated:
      return "created";
    case ContainerStatus::kRunning:
      return "running";
    case ContainerStatus::kPaused:
      return "paused";
    case ContainerStatus::kStopped:
      return "stopped";
  }
  return "unknown";
}

Result<ContainerStatus> Container::Status() const {
  if (record.pid == 0) return ContainerStatus::kCreating;
  if (!IsAlive(record)) return ContainerStatus::kStopped;
  if (record.being_made) return ContainerStatus::kCreating;
  auto cgroup = TRY(sys::cgroup::Cgroup::Open(record.cgroups));
  auto frozen = cgroup.IsFrozen();
  if (frozen && *frozen) return ContainerStatus::kPaused;
  bool waits = sys::Exists(folder.directory(), kStartSocket) &&
               isolation::WaitsForStart(folder.directory(), kStartSocket);
  return waits ? ContainerStatus::kCreated : ContainerStatus::kRunning;
}

std::unexpected<Error> NotRunning(std::string_view id) {
  return Fail(ErrorKind::kState, StrCat("container not running: ", Quote(id)));
}

Result<Fd> Container::Process() const {
  if (record.pid == 0) return NotRunning(record.id);
  auto pidfd = sys::PidfdOpen(record.pid);
  // Opened first, compared after: the process that was compared is the one that is held.
  if (!pidfd || !IsAlive(record)) return NotRunning(record.id);
  return std::move(*pidfd);
}

oci::State Container::State(ContainerStatus status) const {
  bool has_process = status != ContainerStatus::kStopped;
  return {.id = record.id,
          .status = std::string(StatusName(status)),
          .pid = has_process ? record.pid : 0,
          .bundle = record.bundle,
          .annotations = record.annotations};
}

Result<Container> LoadContainer(const Store& store, const std::string& id) {
  auto folder = TRY_STEP(store.Find(id), "state");
  auto record = TRY_STEP(folder.Load(), "state");
  return Container{std::move(folder), std::move(record)};
}

Result<Container> LockContainer(const Store& store, const std::string& id) {
  auto folder = TRY(store.Find(id));
  TRY(folder.Lock());
  auto record = TRY(folder.Load());
  return Container{std::move(folder), std::move(record)};
}

}  // namespace kiste::runtime
