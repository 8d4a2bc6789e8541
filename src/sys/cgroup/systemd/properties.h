// SPDX-License-Identifier: Apache-2.0
//
// Limits of a cgroup as properties of a unit (systemd.resource-control(5)), so that systemd knows
// them and sets them again when it thinks it has to (daemon-reload). What no property can say is
// only written to the cgroup's files, by Cgroup::Apply, which also writes all the rest exactly.
#pragma once

#include <vector>

#include "base/result.h"
#include "sys/cgroup/resources.h"
#include "sys/cgroup/systemd/property_text.h"

namespace kiste::sys::cgroup::systemd {

// What systemd is there and which files it writes; an older one refuses properties it does not
// know.
struct SystemdHost {
  bool v2 = true;
  int version = 0;
};

// Whether the properties for `resources` depend on systemd's version.
bool NeedsVersion(const Resources& resources);

// Everything but the devices. kInvalid for values that cannot be limits, as Cgroup::Apply.
Result<std::vector<Property>> ResourceProperties(const Resources& resources,
                                                 const SystemdHost& host);

// Properties that can be set only when a scope is started.
std::vector<Property> ScopeProperties(const Resources& resources, const SystemdHost& host);

// DevicePolicy and DeviceAllow; nothing without rules. v2: at least what the rules allow, since
// another program behind it decides. v1: at most, for systemd's list is the only one.
Result<std::vector<Property>> DeviceProperties(const std::vector<DeviceRule>& rules, bool v2);

}  // namespace kiste::sys::cgroup::systemd
