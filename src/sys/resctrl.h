// SPDX-License-Identifier: Apache-2.0
//
// The kernel's resctrl file system (Documentation/arch/x86/resctrl.rst): groups of tasks that share
// cache and memory bandwidth. A control group is a folder below the mount point, a monitoring group
// one below a control group's "mon_groups". Errors carry what the kernel left in
// info/last_cmd_status.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kiste::sys {

// What was counted in one domain; nullopt: the hardware does not, or cannot say it now.
struct ResctrlCounters {
  std::optional<uint64_t> mbm_total_bytes, mbm_local_bytes, llc_occupancy;
};

class Resctrl {
 public:
  // Where it is mounted on this host; kUnsupported when it is not.
  static Result<Resctrl> Find();
  // `root` is the mount point.
  explicit Resctrl(std::string root) : root_(std::move(root)) {}

  const std::string& root() const { return root_; }
  // Whether the hardware has the resource: "L3", "MB", "L3_MON" (a folder in info/).
  bool Has(std::string_view resource) const;
  // A file of info/, such as "L3/cbm_mask", as a line; "" when it is not there.
  std::string Info(std::string_view file) const;
  // Whether the folder was made now; not an error when it is there.
  Result<bool> MakeGroup(const std::string& path) const;
  // Writes the lines at once, in their order.
  Status WriteSchemata(const std::string& group, const std::vector<std::string>& lines) const;
  Result<std::string> ReadSchemata(const std::string& group) const;
  // The counters of a group's domains, in their order.
  Result<std::vector<ResctrlCounters>> ReadCounters(const std::string& group) const;
  // Moves the task into the group; what it forks later is born there.
  Status AddTask(const std::string& group, pid_t pid) const;
  // Tasks that are still in it fall back to the group above. What is gone is no error.
  Status RemoveGroup(const std::string& group) const;

 private:
  template <typename T>
  Result<T> WithStatus(Result<T>&& result) const;
  std::string root_;
};

// Whether every domain=value pair of `line` ("L3:0=7f0;1=1f") stands in `schemata`, the content of
// a group's file; leading zeros and spaces do not matter.
bool SchemataHave(std::string_view schemata, std::string_view line);
// The line of `schemata` for a resource, "L3" or "MB"; "" when there is none.
std::string_view SchemataLine(std::string_view schemata, std::string_view resource);

}  // namespace kiste::sys
