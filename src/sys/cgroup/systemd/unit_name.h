// SPDX-License-Identifier: Apache-2.0
//
// Names of systemd's units and where their cgroups are (systemd.slice(5), systemd.unit(5)); the
// form that linux.cgroupsPath has with the systemd driver, which is runc's (its docs/systemd.md).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace kiste::sys::cgroup::systemd {

// Whose units: the host's, or those of the calling user's own manager.
enum class ManagerKind { kSystem, kUser };

struct UnitPlace {
  std::string unit;   // "kiste-abc.scope", or a slice
  std::string slice;  // the slice that it is in: "system.slice"; "-.slice" is the root
  // Of its cgroup, below the manager's own: "/system.slice/kiste-abc.scope".
  std::string path;

  bool IsSlice() const { return unit.ends_with(".slice"); }
};

// `slice:prefix:name` is the unit prefix-name.scope in that slice; a name that ends in ".slice" is
// the unit itself. Without a slice: system.slice, or user.slice of a user's manager. Without any
// path: ":kiste:<id>". kInvalid for another form and for what cannot be a unit's name.
Result<UnitPlace> PlaceUnit(std::string_view cgroups_path, std::string_view id, ManagerKind kind);

// "a-b.slice" is the cgroup "/a.slice/a-b.slice"; "-" and "-.slice" are "".
Result<std::string> ExpandSlice(std::string_view slice);

}  // namespace kiste::sys::cgroup::systemd
