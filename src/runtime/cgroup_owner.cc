// SPDX-License-Identifier: Apache-2.0
//
// Who is to own the container's cgroup (config-linux.md, "Cgroup ownership").
#include <linux/mount.h>
#include <sched.h>

#include <algorithm>

#include "runtime/plan.h"
#include "sys/file.h"

namespace kiste::runtime {

namespace {

bool IsWritableCgroup(const oci::Mount& mount) {
  return mount.source == "cgroup" && sys::CleanPath(mount.destination) == "/sys/fs/cgroup" &&
         ((mount.attr_set | mount.rec_attr_set) & MOUNT_ATTR_RDONLY) == 0;
}

}  // namespace

std::optional<uint32_t> CgroupOwner(const oci::Config& config) {
  const auto* cgroup = config.linux.Find(CLONE_NEWCGROUP);
  bool own = cgroup != nullptr && cgroup->path.empty();
  if (!own || !config.process || std::ranges::none_of(config.mounts, IsWritableCgroup)) {
    return std::nullopt;
  }
  uint32_t uid = config.process->user.uid;
  // The mappings of a user namespace that is joined are not ours to know.
  if (config.linux.Find(CLONE_NEWUSER) != nullptr)
    return oci::HostId(config.linux.uid_mappings, uid);
  return uid;
}

}  // namespace kiste::runtime
