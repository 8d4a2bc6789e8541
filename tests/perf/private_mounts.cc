// SPDX-License-Identifier: Apache-2.0
#include "private_mounts.h"

#include <sched.h>
#include <sys/mount.h>

#include "cgroup_hierarchies.h"

namespace kiste::perf {

Result<std::string> EnterPrivateMounts(const std::string& work_directory,
                                       UnifiedHierarchy unified) {
  if (unshare(CLONE_NEWNS) != 0) return FailErrno("unshare(CLONE_NEWNS)");
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return FailErrno("make mounts private");
  if (mount("runtime-bench", work_directory.c_str(), "tmpfs", 0, "mode=755") != 0) {
    return FailErrno("mount tmpfs on " + work_directory);
  }
  if (IsCgroup2(kCgroupRoot)) return "v2";
  if (!IsCgroup2(kUnifiedUnderV1)) return "v1";
  if (unified == UnifiedHierarchy::kKeep) return "hybrid";
  if (umount2(kUnifiedUnderV1, MNT_DETACH) != 0)
    return FailErrno(std::string("unmount ") + kUnifiedUnderV1);
  return "hybrid, its v2 part unmounted for all targets";
}

}  // namespace kiste::perf
