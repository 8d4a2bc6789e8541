// SPDX-License-Identifier: Apache-2.0
#include "runtime/cgroup_claims.h"

#include <sched.h>

#include <algorithm>
#include <functional>

namespace kiste::runtime {

namespace {

// Calls `look` for each container until it answers true; false when none does. One that comes or
// goes meanwhile is passed over, and so is one without a readable record.
Result<bool> AnyContainer(const Store& store, const std::function<bool(const Container&)>& look) {
  for (const auto& id : TRY(store.Ids())) {
    auto container = LoadContainer(store, id);
    if (container && look(*container)) return true;
  }
  return false;
}

// Whether `record` has one of the cgroups of `other`, or one below.
bool Overlaps(const Record& record, const Record& other) {
  return std::ranges::any_of(record.cgroups, [&](const auto& place) {
    auto theirs = other.cgroups.find(place.first);
    if (theirs == other.cgroups.end() || !place.second.starts_with(theirs->second)) return false;
    size_t size = theirs->second.size();
    return place.second.size() == size || place.second[size] == '/';
  });
}

Result<bool> TakenByAnother(const Store& store, const Record& record) {
  return AnyContainer(store, [&](const Container& other) {
    if (other.record.id == record.id || !Overlaps(other.record, record)) return false;
    auto status = other.Status();
    return !status || *status != ContainerStatus::kStopped;
  });
}

// Whether processes of it may be left without the first one.
bool MayHaveLeftProcesses(const Container& container) {
  if (container.record.pid == 0 || (container.record.namespaces & CLONE_NEWPID) == 0) return true;
  auto config = container.folder.LoadConfig();
  const auto* pids = config ? config->linux.Find(CLONE_NEWPID) : nullptr;
  return pids == nullptr || !pids->path.empty();  // one that it joined goes on
}

bool Made(const Record& record, const std::string& directory) {
  return std::ranges::find(record.kept_cgroups, directory) == record.kept_cgroups.end() &&
         std::ranges::any_of(record.cgroups,
                             [&](const auto& place) { return place.second == directory; });
}

}  // namespace

Result<Occupants> OccupantsOf(const Store& store, const Container& container,
                              const sys::cgroup::Cgroup& cgroup) {
  if (TRY(cgroup.Pids()).empty()) return Occupants::kNone;
  if (TRY(TakenByAnother(store, container.record))) return Occupants::kAnother;
  return MayHaveLeftProcesses(container) ? Occupants::kOurs : Occupants::kStrangers;
}

std::vector<std::string> NotMadeHere(const Store& store, std::vector<std::string> directories) {
  if (directories.empty()) return directories;
  static_cast<void>(AnyContainer(store, [&](const Container& container) {
    std::erase_if(directories, [&](const auto& path) { return Made(container.record, path); });
    return directories.empty();
  }));
  return directories;
}

}  // namespace kiste::runtime
