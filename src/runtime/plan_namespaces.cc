// SPDX-License-Identifier: Apache-2.0
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/strings.h"
#include "oci/namespace_names.h"
#include "runtime/plan.h"
#include "sys/file.h"
#include "sys/user_namespace.h"

namespace kiste::runtime {

namespace {

Result<isolation::NamespaceJoin> OpenNamespace(const oci::Namespace& wanted) {
  Fd file = TRY_CONTEXT(sys::Open(wanted.path, O_RDONLY), "linux.namespaces");
  int type = ioctl(file.get(), NS_GET_NSTYPE);
  if (type != wanted.flag) {
    return Invalid(StrCat("linux.namespaces: ", wanted.path, ": expected a namespace of type ",
                          oci::NameOf(oci::kNamespaceNames, wanted.flag), ", found ",
                          type < 0 ? "no namespace" : "one of another type"));
  }
  isolation::NamespaceJoin join;
  join.flags = wanted.flag;
  join.fd = std::move(file);
  join.path = wanted.path;
  return join;
}

std::string TimeOffsets(const oci::Linux& linux) {
  std::string lines;
  for (const auto& [clock, offset] : linux.time_offsets) {
    lines += StrCat(clock, " ", offset.secs, " ", offset.nanosecs, "\n");
  }
  return lines;
}

bool MapsOnly(const std::vector<oci::IdMapping>& mappings, uint32_t id) {
  return mappings.size() == 1 && mappings[0].size == 1 && mappings[0].host_id == id;
}

bool MapsRoot(const std::vector<oci::IdMapping>& mappings) {
  for (const auto& mapping : mappings) {
    if (mapping.container_id == 0) return true;
  }
  return false;
}

// An ordinary user may map only itself, and gives up setgroups(2) for it; the helpers may do more
// (user_namespaces(7), newuidmap(1)).
void PlanIdMaps(const oci::Linux& linux, const Caller& caller, isolation::NamespacePlan& plan) {
  plan.uid_map = linux.uid_mappings;
  plan.gid_map = linux.gid_mappings;
  if (caller.uid == 0) return;
  bool only_self = MapsOnly(plan.uid_map, caller.uid) && MapsOnly(plan.gid_map, caller.gid);
  plan.use_newidmap = !only_self;
  plan.deny_setgroups = only_self;
}

}  // namespace

Caller CurrentCaller() {
  Caller caller{.uid = geteuid(), .gid = getegid()};
  caller.in_user_namespace = sys::IsInUserNamespace();
  // Its root is an ordinary user of the host.
  caller.rootless = caller.uid != 0 || caller.in_user_namespace;
  return caller;
}

Result<isolation::NamespacePlan> PlanNamespaces(const oci::Config& config, const Caller& caller) {
  isolation::NamespacePlan plan;
  const auto& linux = config.linux;
  for (const auto& wanted : linux.namespaces) {
    if (wanted.path.empty()) {
      plan.create |= wanted.flag;
      continue;
    }
    auto join = TRY(OpenNamespace(wanted));
    if (wanted.flag == CLONE_NEWUSER) {
      plan.become_root = true;
      plan.join.insert(plan.join.begin(), std::move(join));
    } else {
      plan.join.push_back(std::move(join));
    }
  }
  bool new_user = (plan.create & CLONE_NEWUSER) != 0;
  if (caller.uid != 0 && !new_user && !plan.become_root) {
    return Invalid(StrCat("linux.namespaces: expected a user namespace, without which uid ",
                          caller.uid, " cannot start a container"));
  }
  if (new_user) {
    if (!MapsRoot(linux.uid_mappings) || !MapsRoot(linux.gid_mappings)) {
      return Invalid("linux.uidMappings, linux.gidMappings: expected both to map container id 0");
    }
    PlanIdMaps(linux, caller, plan);
  }
  plan.time_offsets = TimeOffsets(linux);
  plan.bring_loopback_up = (plan.create & CLONE_NEWNET) != 0;
  return plan;
}

}  // namespace kiste::runtime
