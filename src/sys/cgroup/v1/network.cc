// SPDX-License-Identifier: Apache-2.0
//
// net_cls and net_prio, which exist in v1 only.
#include "base/strings.h"
#include "sys/cgroup/v1/controllers.h"

namespace kiste::sys::cgroup::v1 {

Status SetNetClass(const Directory& directory, const Network& network) {
  if (network.class_id.value_or(0) == 0) return {};
  return directory.Set("network.classID", "net_cls.classid", StrCat(*network.class_id));
}

Status SetNetPriorities(const Directory& directory, const Network& network) {
  std::vector<std::string> lines;
  lines.reserve(network.priorities.size());
  for (const auto& [name, priority] : network.priorities) {
    lines.push_back(StrCat(name, " ", priority));
  }
  return directory.SetEach("network.priorities", "net_prio.ifpriomap", lines);
}

}  // namespace kiste::sys::cgroup::v1
