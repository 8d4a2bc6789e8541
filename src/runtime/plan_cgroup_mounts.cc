// SPDX-License-Identifier: Apache-2.0
//
// A mount of type "cgroup": on v2 the one hierarchy; on v1 and hybrid a tmpfs with each v1
// hierarchy below it, seen from the container's own cgroup down (config-linux.md, "Cgroup" mounts;
// as runc).
#include <linux/mount.h>
#include <sched.h>

#include "base/strings.h"
#include "runtime/plan.h"
#include "sys/file.h"

namespace kiste::runtime {

namespace {

constexpr uint64_t kAlways = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

isolation::MountStep Step(oci::Mount mount) {
  isolation::MountStep step;
  step.mount = std::move(mount);
  const auto& destination = step.mount.destination;
  step.inside_proc = destination == "/proc" || destination.starts_with("/proc/");
  return step;
}

// The last component of a hierarchy's mount point: "cpu,cpuacct", "systemd".
std::string_view NameOf(const sys::cgroup::Hierarchy& hierarchy) {
  std::string_view path = hierarchy.mount_point;
  return path.substr(path.find_last_of('/') + 1);
}

isolation::MountStep UnifiedMount(const RootRequest& request, const oci::Mount& wanted,
                                  bool own_namespace) {
  auto step = Step(wanted);
  step.mount.destination = sys::CleanPath(StrCat("/", wanted.destination));
  step.mount.type = "cgroup2";
  step.mount.source = "cgroup";
  const auto* v2 = request.layout.FindV2();
  std::string host = v2 != nullptr ? v2->mount_point : "/sys/fs/cgroup";
  const auto* own = request.cgroup != nullptr ? request.cgroup->Path("") : nullptr;
  if (own_namespace) {
    step.fallback_bind_source = host;
    return step;
  }
  step.mount.bind = step.mount.recursive_bind = true;
  step.mount.data.clear();  // the kernel's own mount has its options already
  step.mount.source = own != nullptr ? *own : host;
  return step;
}

isolation::MountStep HierarchyMount(const RootRequest& request,
                                    const sys::cgroup::Hierarchy& hierarchy,
                                    const oci::Mount& wanted, bool own_namespace) {
  oci::Mount mount;
  mount.destination = sys::CleanPath(StrCat("/", wanted.destination, "/", NameOf(hierarchy)));
  mount.attr_set = kAlways | wanted.attr_set;
  mount.propagation = wanted.propagation;
  std::string controllers = Join(hierarchy.controllers, ",");
  if (own_namespace) {
    mount.type = "cgroup";
    mount.source = "cgroup";
    mount.data = controllers;
    return Step(std::move(mount));
  }
  const auto* own =
      request.cgroup != nullptr ? request.cgroup->Path(hierarchy.controllers.front()) : nullptr;
  mount.bind = true;
  mount.type = "bind";
  mount.source = own != nullptr ? *own : hierarchy.mount_point;
  return Step(std::move(mount));
}

}  // namespace

std::vector<isolation::MountStep> PlanCgroupMount(const RootRequest& request,
                                                  const oci::Mount& wanted) {
  std::vector<isolation::MountStep> steps;
  bool own_namespace = request.config.linux.Find(CLONE_NEWCGROUP) != nullptr;
  if (request.layout.kind == sys::cgroup::Kind::kV2 ||
      request.layout.kind == sys::cgroup::Kind::kNone) {
    steps.push_back(UnifiedMount(request, wanted, own_namespace));
    return steps;
  }
  oci::Mount top = wanted;
  top.destination = sys::CleanPath(StrCat("/", wanted.destination));
  top.type = "tmpfs";
  top.source = "tmpfs";
  top.data = "mode=755";
  top.attr_set |= kAlways;
  steps.push_back(Step(std::move(top)));
  for (const auto& hierarchy : request.layout.hierarchies) {
    if (hierarchy.v2) continue;
    steps.push_back(HierarchyMount(request, hierarchy, wanted, own_namespace));
    // "cpu,cpuacct" is also found under each of its names.
    if (hierarchy.controllers.size() < 2) continue;
    for (const auto& controller : hierarchy.controllers) {
      isolation::MountStep link;
      link.mount.destination = sys::CleanPath(StrCat("/", wanted.destination, "/", controller));
      link.link_target = std::string(NameOf(hierarchy));
      steps.push_back(std::move(link));
    }
  }
  return steps;
}

}  // namespace kiste::runtime
