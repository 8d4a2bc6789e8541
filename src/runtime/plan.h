// SPDX-License-Identifier: Apache-2.0
//
// From a configuration to a LaunchPlan: everything that needs the host is looked up here, in the
// parent, so that the child has only to do. One file a part.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "isolation/plan.h"
#include "oci/config.h"
#include "sys/cgroup/cgroup.h"
#include "sys/seccomp/seccomp.h"

namespace kiste::runtime {

// Where remarks go that are no errors ("MUST be logged as a warning").
using Warn = std::function<void(std::string_view)>;

// Who is asking, as far as it changes what can be done.
struct Caller {
  uint32_t uid = 0, gid = 0;
  bool rootless = false;           // no power over cgroups and ids may be expected
  bool in_user_namespace = false;  // not the host's first: a rootless engine's, say
};
Caller CurrentCaller();

// plan_namespaces.cc
Result<isolation::NamespacePlan> PlanNamespaces(const oci::Config& config, const Caller& caller);

// plan_root.cc: `bundle` is absolute. `cgroup` may be null (then cgroup mounts show the host's).
struct RootRequest {
  const oci::Config& config;
  const std::string& bundle;
  const std::string& rootfs;  // absolute
  const sys::cgroup::Layout& layout;
  const sys::cgroup::Cgroup* cgroup = nullptr;
  const Caller& caller;
  bool no_pivot = false;
  Warn warn;
};
Result<isolation::RootPlan> PlanRoot(const RootRequest& request);
// The container's mounts come to lie in the host's mount namespace (host_root.h).
bool MountsOnTheHost(const oci::Config& config);
// plan_labels.cc: linux.mountLabel; kUnsupported where there is no SELinux, whose context= no file
// system takes.
Status CheckMountLabel(const oci::Linux& linux);
// Gives what a step mounts the label: new file systems but for those of the kernel's own that are
// one for all (proc, sysfs, cgroup); mqueue has its root labelled. Binds keep theirs. As in runc.
void LabelMount(const std::string& label, isolation::MountStep& step);
Status PlanLabels(const oci::Process& process, isolation::ProcessPlan& plan);
struct MountRequest {
  const oci::Linux& linux;
  const std::string& bundle;  // absolute
  bool open_sources = false;  // by this process: who mounts might not reach them
  Warn warn;
};
// One mount, not of type "cgroup"; `index` names it in errors.
Result<isolation::MountStep> PlanMount(const MountRequest& request, const oci::Mount& mount,
                                       size_t index);
// plan_id_mapped_mounts.cc: a clone of the source of `mount`, a bind with the option idmap, that
// shows its ids mapped. `field` names the mount in errors.
Result<Fd> CloneIdMapped(const oci::Linux& linux, const oci::Mount& mount,
                         const std::string& field);
// plan_cgroup_mounts.cc: what a mount of type "cgroup" stands for on this host.
std::vector<isolation::MountStep> PlanCgroupMount(const RootRequest& request,
                                                  const oci::Mount& mount);
// plan_devices.cc
Status PlanDevices(const oci::Config& config, const Caller& caller, isolation::RootPlan& root);

// plan_process.cc
struct ProcessRequest {
  const oci::Process& process;
  const oci::Linux& linux;
  bool absent = false;              // config.json has no process, which only `start` minds
  bool own_user_namespace = false;  // new or joined: capabilities are counted in there
  bool set_groups = true;
  bool keep_groups = false;  // the caller's, whatever additionalGids are
  int seccomp_cache = -1;
  std::string seccomp_state;  // for an agent, with kPidMark
  std::string keyring;        // "" joins none
  unsigned preserve_fds = 0;
  Warn warn;
};
Result<isolation::ProcessPlan> PlanProcess(const ProcessRequest& request);
// `podman run --group-add keep-groups`, by the annotation that crun has for it.
bool KeepsGroups(const std::map<std::string, std::string>& annotations);
// The profile as the floor that compiles it takes it, with the runtime's choice of flags.
sys::SeccompProfile SeccompProfileOf(const oci::Seccomp& seccomp);

// plan_placement.cc: linux.memoryPolicy, and execCPUAffinity for an exec.
void PlanMemoryPolicy(const oci::Linux& linux, isolation::ProcessPlan& plan);
void PlanExecAffinity(const oci::Process& process, isolation::ProcessPlan& plan);

// plan_sysctls.cc … small parts
std::vector<isolation::FileWrite> PlanSysctls(const oci::Config& config);

// resources.cc: the same values, for the floor that writes them.
sys::cgroup::Resources CgroupResources(const oci::Resources& resources);
// Says which of them are passed over in this cgroup.
void WarnOfPassedOver(const sys::cgroup::Cgroup& cgroup, const sys::cgroup::Resources& resources,
                      const Warn& warn);

// cgroup_owner.cc: the uid, as the host counts, that a v2 cgroup is to be given to, if the
// container can manage what is below it: its own cgroup namespace, and /sys/fs/cgroup writable.
std::optional<uint32_t> CgroupOwner(const oci::Config& config);

}  // namespace kiste::runtime
