// SPDX-License-Identifier: Apache-2.0
//
// Which cgroup hierarchies this host has, where they are mounted, and where in them this process is
// (cgroups(7)). Used once by every command that creates a container; commands on existing
// containers open the paths saved in the container's state and do not need it.
//
// v1 has a hierarchy for each controller or group of controllers, and named ones without a
// controller (name=systemd); v2 has one hierarchy. hybrid is v1 with the v2 hierarchy beside it,
// which then usually has no controllers but takes processes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kiste::sys::cgroup {

enum class Kind { kNone, kV1, kV2, kHybrid };

// A line of /proc/<pid>/cgroup (cgroups(7)): `4:cpu,cpuacct:/a/b`, `1:name=systemd:/`, `0::/`.
struct Membership {
  std::string_view controllers;  // with commas; "" is v2
  std::string_view path;
};
// Of that file's text, which must outlive them.
std::vector<Membership> ParseMemberships(std::string_view text);

struct Hierarchy {
  bool v2 = false;
  // v1: "cpu", "cpuacct", … or the one "name=systemd". v2: the one "" (state files name it so).
  std::vector<std::string> controllers;
  std::string mount_point;  // absolute, without symlinks: as the kernel resolved it
  // Own membership as a path below mount_point, "/" for its root. "" when this process is outside
  // of what is mounted there (a bind mount of a sub-tree).
  std::string own;

  bool Has(std::string_view controller) const;
};

struct Layout {
  Kind kind = Kind::kNone;
  std::vector<Hierarchy> hierarchies;  // in the order of the mounts

  // The v1 hierarchy that has `controller`, or nullptr.
  const Hierarchy* FindV1(std::string_view controller) const;
  // The v2 hierarchy, or nullptr.
  const Hierarchy* FindV2() const;
};

// Asks the kernel. Costs one read of /proc/self/cgroup and one statfs; unless /sys/fs/cgroup is v2,
// also /proc/self/mountinfo, read only until every hierarchy is found.
Result<Layout> Detect();

// The pure part: from the texts of /proc/self/cgroup and /proc/self/mountinfo.
Layout Parse(std::string_view self_cgroup, std::string_view mountinfo);

}  // namespace kiste::sys::cgroup
