// SPDX-License-Identifier: Apache-2.0
//
// A container's cgroup as a unit of systemd's: the driver behind --systemd-cgroup. systemd makes
// the directories that it knows and moves the container's first process there; the rest, and every
// limit exactly, comes from Cgroup, opened on the unit's path.
//
// Used by the runtime: PlaceUnit (unit_name.h) before anything is made, EnterUnit while the
// launcher waits, UpdateUnit for new limits, Manager::Stop in the end.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>

#include "base/result.h"
#include "sys/cgroup/cgroup.h"
#include "sys/cgroup/systemd/manager.h"

namespace kiste::sys::cgroup::systemd {

struct UnitRequest {
  UnitPlace place;
  ManagerKind kind = ManagerKind::kSystem;
  std::string description;
  Resources resources;
  std::map<std::string, std::string> annotations;  // org.systemd.property.* among others
};

// Starts the unit with `pid` in it and makes, in hierarchies that systemd has nothing to do with,
// the directories of `cgroup`, which was planned at the unit's path; the process is then in all of
// them. The limits that are properties are in force; Cgroup::Apply sets the rest. On failure
// nothing of the unit's stays.
Status EnterUnit(Manager& manager, const UnitRequest& request, pid_t pid, Cgroup& cgroup);

// The properties that EnterUnit asks for.
Result<std::vector<Property>> UnitProperties(const UnitRequest& request, const SystemdHost& host,
                                             pid_t pid);

// New limits for a unit that runs: Cgroup::Apply, and the properties, so that systemd does not take
// the old ones for valid. Nothing is told to systemd when the kernel refuses a value. `whole` is
// `change` with what else is in force in the parts that it touches: a quota is nothing without its
// period, and systemd writes all files of a controller anew. Devices are for system units only.
Status UpdateUnit(Manager& manager, const std::string& unit, const Cgroup& cgroup,
                  const Resources& change, const Resources& whole);

}  // namespace kiste::sys::cgroup::systemd
