// SPDX-License-Identifier: Apache-2.0
//
// The container's file system: which mounts, from where, with what on top.
#include <linux/mount.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "base/strings.h"
#include "oci/sysctl_names.h"
#include "runtime/plan.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/mountinfo.h"

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
// passed over, as is what belongs to a file system by its form (`mode=755`; mount(2) ignores it).
// Anything else too, but may be a mistake that would go unnoticed.
constexpr std::string_view kEngineWords[] = {"copy", "nocopy",     "z",      "Z",        "U",
                                             "O",    "consistent", "cached", "delegated"};

void WarnOfBindOptions(const oci::Mount& mount, size_t index, const Warn& warn) {
  for (auto option : Split(mount.data, ',')) {
    bool known = option.empty() || option.find('=') != std::string_view::npos ||
                 std::find(std::begin(kEngineWords), std::end(kEngineWords), option) !=
                     std::end(kEngineWords);
    if (!known) {
      warn(StrCat("mounts[", index, "].options: ", Quote(option),
                  " is no option of a bind mount (on ", mount.destination, "): ignored"));
    }
  }
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
  if (planned.bind) WarnOfBindOptions(planned, index, request.warn);
  if (planned.bind && !planned.remount) TRY(PlanSource(request, index, step));
  if (planned.idmap && step.link_target.empty()) {
    step.source_tree = TRY(CloneIdMapped(request.linux, planned, StrCat("mounts[", index, "]")));
  }
  step.no_symlinks = planned.type == "proc" || planned.type == "sysfs";
  step.over_proc_allowed = std::find(std::begin(kHarmlessProcFiles), std::end(kHarmlessProcFiles),
                                     planned.destination) != std::end(kHarmlessProcFiles);
  return step;
}

namespace {

// What of the host's would stay visible to the kernel below a root that is not pivoted to. Not
// where mounts are shared with the host: there it would lose them too.
Result<std::vector<std::string>> MountsToHide(const isolation::RootPlan& root) {
  std::vector<std::string> hidden;
  if (!root.no_pivot || !root.private_mounts || (root.host_propagation & MS_SHARED) != 0) {
    return hidden;
  }
  for (auto& mount : TRY(sys::MountsOf(getpid()))) {
    if (mount.type != "proc" && mount.type != "sysfs") continue;
    bool inside = mount.point == root.path || mount.point.starts_with(StrCat(root.path, "/"));
    if (!inside) hidden.push_back(std::move(mount.point));
  }
  return hidden;
}

// In the same order.
std::vector<std::string> EachOnce(const std::vector<std::string>& paths) {
  std::set<std::string_view> seen;
  std::vector<std::string> once;
  for (const auto& path : paths) {
    if (seen.insert(path).second) once.push_back(path);
  }
  return once;
}

}  // namespace

bool MountsOnTheHost(const oci::Config& config) {
  bool own_namespace = config.linux.Find(CLONE_NEWNS) != nullptr;
  return !own_namespace && (!config.mounts.empty() || config.root_readonly);
}

Result<isolation::RootPlan> PlanRoot(const RootRequest& request) {
  const auto& config = request.config;
  const auto& linux = config.linux;
  isolation::RootPlan root;
  root.path = request.rootfs;
  root.readonly = config.root_readonly;
  root.no_pivot = request.no_pivot;
  root.private_mounts = linux.Find(CLONE_NEWNS) != nullptr;
  root.own_mount = root.private_mounts || MountsOnTheHost(config);
  uint32_t propagation = PropagationFlag(linux.rootfs_propagation);
  root.host_propagation =
      (propagation == 0 || propagation == MS_UNBINDABLE ? MS_SLAVE : propagation) | MS_REC;
  root.propagation = propagation;
  if (linux.rootfs_propagation_recursive) root.propagation |= MS_REC;
  if (ParentOpensSources(request) && root.private_mounts) {
    root.tree = TRY_CONTEXT(sys::CloneTree(request.rootfs, sys::Depth::kRecursive), "root.path");
  }
  MountRequest mounts{.linux = linux,
                      .bundle = request.bundle,
                      .open_sources = ParentOpensSources(request),
                      .warn = request.warn};
  for (size_t i = 0; i < config.mounts.size(); ++i) {
    const auto& mount = config.mounts[i];
    if (mount.type == "cgroup" && !mount.bind) {
      for (auto& step : PlanCgroupMount(request, mount)) root.mounts.push_back(std::move(step));
      continue;
    }
    root.mounts.push_back(TRY(PlanMount(mounts, mount, i)));
  }
  TRY(CheckMountLabel(linux));
  root.mount_label = linux.mount_label;
  for (auto& step : root.mounts) LabelMount(root.mount_label, step);
  TRY(PlanDevices(config, request.caller, root));
  root.hidden_mounts = TRY(MountsToHide(root));
  root.masked_paths = EachOnce(linux.masked_paths);
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
