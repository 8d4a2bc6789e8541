// SPDX-License-Identifier: Apache-2.0
//
// What making a container (create.cc) and bringing one back (restore.cc) share: its cgroups, its
// groups in resctrl and its record.
#pragma once

#include <sys/types.h>

#include <optional>

#include "base/result.h"
#include "runtime/bundle.h"
#include "runtime/container.h"
#include "runtime/create.h"
#include "runtime/plan.h"
#include "runtime/record.h"
#include "runtime/store.h"
#include "runtime/systemd_unit.h"
#include "sys/cgroup/cgroup.h"

namespace kiste::runtime {

struct Cgroups {
  sys::cgroup::Layout layout;
  std::optional<sys::cgroup::Cgroup> cgroup;  // none: the container stays in the caller's
  std::vector<std::string> existing;          // directories of it that were there before
  std::optional<PlannedUnit> unit;            // systemd makes the cgroup once the process is there
  bool entered = false;                       // and has done so
};

// Looks where the container's cgroup will be; makes nothing. kExists when somebody is in there.
Result<Cgroups> PlanCgroups(const CreateRequest& request, const oci::Config& config,
                            const Caller& caller);
// Makes what is planned, with its limits; gives the plan up where an ordinary user may do without.
Status MakeCgroups(const CreateRequest& request, const oci::Config& config, const Caller& caller,
                   Cgroups& cgroups);
// The same with systemd, for which the process must be there.
Status EnterUnit(const CreateRequest& request, const oci::Config& config, const Caller& caller,
                 Cgroups& cgroups, pid_t pid);
// Takes back what was made, with whatever runs in it.
void RemoveCgroups(Cgroups& cgroups);

// Whether a terminal is wanted and there is somebody to give it to.
Status CheckConsole(const CreateRequest& request, const oci::Process& process);

// The record of a container without a process yet, in the store where it will be.
Record NewRecord(const Store& store, const CreateRequest& request, const Bundle& bundle,
                 const Cgroups& cgroups, const Caller& caller);
// The groups of linux.intelRdt, written down in the record before they are made.
Status MakeRdtGroups(const oci::Config& config, Container& container);
// The process exists: from here on `delete` can find it. What it forks shares its group in resctrl.
Status RecordProcess(Container& container, pid_t pid);
// The container is as config.json wants it: from here on `exec` and `mount` may enter it.
Status RecordMade(Container& container);

}  // namespace kiste::runtime
