// SPDX-License-Identifier: Apache-2.0
//
// The container's file system: which mounts, from where, with what on top.
#include <linux/mount.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "base/strings.h"
#include "oci/sysctl_names.h"
#include "runtime/plan.h"
#include "sys/file.h"
#include "sys/mount.h"

namespace kiste::runtime {

namespace {

// Files of /proc that container managers replace for honest reasons; everything else in there is
// left to the kernel (the list is runc's).
constexpr std::string_view kHarmlessProcFiles[] = {
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/uptime",
    "/proc/loadavg",
    "/proc/slabinfo",
    "/proc/net/dev",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/sys/crypto/fips_enabled",
};

uint32_t PropagationFlag(std::string_view word) {
  if (word == "shared") return MS_SHARED;
  if (word == "slave") return MS_SLAVE;
  if (word == "private") return MS_PRIVATE;
  if (word == "unbindable") return MS_UNBINDABLE;
  return 0;
}

// A privileged runtime opens what a process in the new user namespace might not reach.
bool ParentOpensSources(const RootRequest& request) {
  const auto* user = request.config.linux.Find(CLONE_NEWUSER);
  return request.caller.uid == 0 && user != nullptr && user->path.empty();
}

// A bind has no file system to hand options to. What engines leave among them for themselves is
// passed over; anything else is a mistake that would go unnoticed.
constexpr std::string_view kEngineWords[] = {"copy", "nocopy",     "z",      "Z",        "U",
                                             "O",    "consistent", "cached", "delegated"};

Status CheckBindOptions(const oci::Mount& mount, size_t index) {
  for (auto option : Split(mount.data, ',')) {
    bool known = option.empty() || std::find(std::begin(kEngineWords), std::end(kEngineWords),
                                             option) != std::end(kEngineWords);
    if (!known) {
      return Invalid(StrCat("mounts[", index, "].options: ", Quote(option),
                            " is no option of a bind mount (on ", mount.destination, ")"));
    }
  }
  return {};
}

sys::Follow FollowSource(const oci::Mount& mount) {
  return mount.source_nofollow ? sys::Follow::kNo : sys::Follow::kYes;
}

// copy-symlink: a link at the source is made again at the destination.
Status CopyLink(const oci::Mount& mount, isolation::MountStep& step) {
  auto target = sys::ReadLink(mount.source);
  if (target) step.link_target = std::move(*target);
  if (target || target.error().errno_value == EINVAL) return {};
  return std::unexpected(std::move(target).error());
}

// Where the source of a bind comes from.
Status PlanSource(const MountRequest& request, size_t index, isolation::MountStep& step) {
  auto& mount = step.mount;
  if (mount.source.empty())
    return Invalid(StrCat("mounts[", index, "].source: expected a path to bind"));
  if (mount.source[0] != '/') mount.source = StrCat(request.bundle, "/", mount.source);
  if (mount.copy_symlink) TRY_CONTEXT(CopyLink(mount, step), StrCat("mounts[", index, "].source"));
  if (!request.open_sources || mount.idmap || !step.link_target.empty()) return {};
  auto depth = mount.recursive_bind ? sys::Depth::kRecursive : sys::Depth::kThis;
  step.source_tree = TRY_CONTEXT(sys::CloneTree(mount.source, depth, FollowSource(mount)),
                                 StrCat("mounts[", index, "].source"));
  return {};
}

}  // namespace

Result<isolation::MountStep> PlanMount(const MountRequest& request, const oci::Mount& mount,
                                       size_t index) {
  isolation::MountStep step;
  step.mount = mount;
  auto& planned = step.mount;
  planned.destination = sys::CleanPath(StrCat("/", mount.destination));
  step.inside_proc = planned.destination == "/proc" || planned.destination.starts_with("/proc/");
  if (planned.bind) TRY(CheckBindOptions(planned, index));
  if (planned.bind && !planned.remount) TRY(PlanSource(request, index, step));
  if (planned.idmap && step.link_target.empty()) {
    step.source_tree = TRY(CloneIdMapped(request.linux, planned, StrCat("mounts[", index, "]")));
  }
  step.no_symlinks = planned.type == "proc" || planned.type == "sysfs";
  step.over_proc_allowed = std::find(std::begin(kHarmlessProcFiles), std::end(kHarmlessProcFiles),
                                     planned.destination) != std::end(kHarmlessProcFiles);
  return step;
}

Result<isolation::RootPlan> PlanRoot(const RootRequest& request) {
  const auto& config = request.config;
  const auto& linux = config.linux;
  isolation::RootPlan root;
  root.path = request.rootfs;
  root.readonly = config.root_readonly;
  root.no_pivot = request.no_pivot;
  root.private_mounts = linux.Find(CLONE_NEWNS) != nullptr;
  if (!root.private_mounts && (!config.mounts.empty() || config.root_readonly)) {
    return Invalid(
        "mounts, root.readonly: expected a mount namespace in linux.namespaces to do them in");
  }
  uint32_t propagation = PropagationFlag(linux.rootfs_propagation);
  root.host_propagation =
      (propagation == 0 || propagation == MS_UNBINDABLE ? MS_SLAVE : propagation) | MS_REC;
  root.propagation = propagation;
  if (linux.rootfs_propagation_recursive) root.propagation |= MS_REC;
  if (ParentOpensSources(request) && root.private_mounts) {
    root.tree = TRY_CONTEXT(sys::CloneTree(request.rootfs, sys::Depth::kRecursive), "root.path");
  }
  MountRequest mounts{
      .linux = linux, .bundle = request.bundle, .open_sources = ParentOpensSources(request)};
  for (size_t i = 0; i < config.mounts.size(); ++i) {
    const auto& mount = config.mounts[i];
    if (mount.type == "cgroup" && !mount.bind) {
      for (auto& step : PlanCgroupMount(request, mount)) root.mounts.push_back(std::move(step));
      continue;
    }
    root.mounts.push_back(TRY(PlanMount(mounts, mount, i)));
  }
  TRY(PlanDevices(config, root));
  root.masked_paths = linux.masked_paths;
  root.readonly_paths = linux.readonly_paths;
  return root;
}

std::vector<isolation::FileWrite> PlanSysctls(const oci::Config& config) {
  std::vector<isolation::FileWrite> writes;
  for (const auto& [name, value] : config.linux.sysctl) {
    writes.push_back({name, StrCat("sys/", oci::SysctlPath(name)), value});
  }
  return writes;
}

}  // namespace kiste::runtime
