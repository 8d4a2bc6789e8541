// SPDX-License-Identifier: Apache-2.0
//
// Containers whose cgroup is a unit of systemd's (--systemd-cgroup): where it belongs, and what to
// do with it later. Connects to systemd only when one of these is called.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "oci/config.h"
#include "runtime/plan.h"
#include "runtime/record.h"
#include "sys/cgroup/cgroup.h"
#include "sys/cgroup/systemd/unit.h"

namespace kiste::runtime {

struct PlannedUnit {
  sys::cgroup::systemd::Manager manager;
  sys::cgroup::systemd::UnitRequest request;  // but for the limits
  std::string cgroup_path;                    // below the mount point
};

// The unit of a new container, by linux.cgroupsPath. An ordinary user's is one of the user's own
// manager. kUnsupported where there is no systemd, and for an ordinary user without cgroup v2
// alone, as v1 cannot be delegated safely.
Result<PlannedUnit> PlanUnit(const sys::cgroup::Layout& layout, const oci::Config& config,
                             const std::string& id, const Caller& caller);

// Stops the unit and waits for it; nothing for a container without one.
Status StopUnit(const Record& record);

// Moves a process of exec into the unit's cgroup, or `sub_path` ("/a") below it, where this user
// may not do it alone: systemd has the right.
Status AttachToUnit(const Record& record, const std::string& sub_path, pid_t pid);

// New limits of a container that exists, with or without a unit. `whole` is `change` with what
// else is in force in the parts that it touches.
Status UpdateLimits(const Record& record, const sys::cgroup::Cgroup& cgroup,
                    const sys::cgroup::Resources& change, sys::cgroup::Resources whole);

}  // namespace kiste::runtime
