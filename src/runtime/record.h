// SPDX-License-Identifier: Apache-2.0
//
// What is remembered of a container between commands: <root>/<id>/state.json. Enough to find its
// process again without mistaking another for it, to join it, and to take everything back.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace kiste::runtime {

// What lies below the mounts of a container without a mount namespace of its own (host_root.h).
struct HostRoot {
  uint64_t below = 0;            // the mount that `rootfs` was in; 0: no mounts of this kind
  uint64_t mount_namespace = 0;  // that both are in, by its inode number
};

// Where the container is in resctrl (intel_rdt.h).
struct RdtGroups {
  std::string root;                                       // the mount point
  std::string control, monitor;                           // absolute; "" none
  bool control_is_ours = false, monitor_is_ours = false;  // removed with the container
};

struct Record {
  std::string id;
  std::string bundle;   // absolute
  std::string rootfs;   // absolute
  std::string created;  // RFC 3339, UTC
  pid_t pid = 0;        // 0 until the process exists
  uint64_t start_time =
      0;  // of the process, in clock ticks since boot: pid and this name it for good
  // Its process may still be making it, in the host's root. Not in the file: the folder says it.
  bool being_made = false;
  int namespaces = 0;  // CLONE_NEW* of which the container has its own or a joined one
  uint32_t owner = 0;  // uid that created it
  bool rootless = false;
  std::map<std::string, std::string> cgroups;  // controller → absolute directory
  // Those directories that were there before it, made by no container, and stay.
  std::vector<std::string> kept_cgroups;
  std::string systemd_unit;   // that the cgroups belong to; "" when they were made without systemd
  bool systemd_user = false;  // a unit of the user's own manager
  HostRoot host_root;
  RdtGroups rdt;
  std::map<std::string, std::string> annotations;
  // What /proc called descriptors 0 to 2 when the process was started ("pipe:[4711]"); what
  // `checkpoint` must not take for the container's own. Empty with a terminal.
  std::vector<std::string> descriptors;
};

std::string RecordJson(const Record& record);
Result<Record> ParseRecord(std::string text, const std::string& file);

}  // namespace kiste::runtime
