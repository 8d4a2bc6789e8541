// SPDX-License-Identifier: Apache-2.0
#include "runtime/update.h"

#include "base/strings.h"
#include "oci/merge_resources.h"
#include "oci/parse.h"
#include "oci/resources_text.h"
#include "runtime/container.h"
#include "runtime/intel_rdt.h"
#include "runtime/systemd_unit.h"
#include "sys/cgroup/cgroup.h"

namespace kiste::runtime {

namespace {

namespace cg = sys::cgroup;

Status CheckUpdatable(const Container& container) {
  auto status = TRY(container.Status());
  // Hooks may call it while the container is being made; it has its cgroups once it has a process.
  if (status == ContainerStatus::kStopped || container.record.pid == 0) {
    return Fail(ErrorKind::kState, StrCat("cannot update container ", Quote(container.record.id),
                                          ": it is ", StatusName(status)));
  }
  if (!container.record.cgroups.empty()) return {};
  return Fail(ErrorKind::kUnsupported, StrCat("container ", Quote(container.record.id),
                                              " has no cgroup whose limits could be changed"));
}

// Without words what command lines and engines mean by them.
void FixUp(const oci::Config& config, UpdateRequest& request) {
  auto& given = request.resources;
  // With every change of a limit containerd hands over all that the container has. That is no new
  // list of devices: what others have allowed beside it (who brings in GPUs does) shall stay.
  if (given.devices == config.linux.resources.devices) given.devices.clear();
  bool zero_is_none =
      request.pids_zero == PidsZero::kAsConfig && !oci::ZeroPidsLimits(config.oci_version);
  if (given.pids_limit == 0 && zero_is_none) given.pids_limit.reset();
  // No limit on memory is none on memory and swap either, unless that is given too.
  if (given.memory && given.memory->limit == -1 && !given.memory->swap) given.memory->swap = 0;
}

// `resources` for the cgroup, with their devices only if some are given: the default ones are
// always among them.
cg::Resources Limits(const oci::Resources& resources, const oci::Resources& given) {
  auto limits = CgroupResources(resources);
  if (given.devices.empty()) limits.devices.clear();
  limits.devices_optional = CurrentCaller().rootless;
  return limits;
}

// The parts of `base` that `given` touches; the devices are Limits's.
oci::Resources Touched(oci::Resources base, const oci::Resources& given) {
  if (!given.memory) base.memory.reset();
  if (!given.cpu) base.cpu.reset();
  if (!given.pids_limit) base.pids_limit.reset();
  if (!given.block_io) base.block_io.reset();
  if (given.hugepage_limits.empty()) base.hugepage_limits.clear();
  if (!given.network) base.network.reset();
  if (given.rdma.empty()) base.rdma.clear();
  if (given.unified.empty()) base.unified.clear();
  return base;
}

// A container without a group in resctrl gets one now, with all of its processes, as in runc.
Status UpdateIntelRdt(const UpdateRequest& request, const cg::Cgroup& cgroup,
                      Container& container) {
  if (request.l3_cache_schema.empty() && request.mem_bw_schema.empty()) return {};
  oci::IntelRdt wanted;
  wanted.l3_cache_schema = request.l3_cache_schema;
  wanted.mem_bw_schema = request.mem_bw_schema;
  auto resctrl = TRY_CONTEXT(sys::Resctrl::Find(), "--l3-cache-schema, --mem-bw-schema");
  if (!container.record.rdt.control.empty())
    return UpdateRdt(resctrl, wanted, container.record.rdt);
  TRY(PlanRdt(resctrl, wanted, container.record));
  TRY(container.folder.Save(container.record));
  TRY(MakeRdt(resctrl, wanted, container.record.rdt));
  for (pid_t pid : TRY(cgroup.Pids())) {
    auto joined = JoinRdt(container.record.rdt, pid);
    if (!joined && joined.error().errno_value != ESRCH) return joined;
  }
  return {};
}

}  // namespace

oci::Resources ToWrite(oci::Resources given, const oci::Resources& merged) {
  if (given.memory && (given.memory->limit || given.memory->swap)) {
    given.memory->limit = merged.memory->limit;
    given.memory->swap = merged.memory->swap;
  }
  // An idle group has no weight: it comes back with the end of idleness.
  if (given.cpu && given.cpu->idle == 0 && !given.cpu->shares) {
    given.cpu->shares = merged.cpu->shares;
  }
  return given;
}

Status Update(const Store& store, UpdateRequest request) {
  auto container = TRY(LoadContainer(store, request.id));
  Fd lock = TRY(container.folder.LockUpdates());
  TRY(CheckUpdatable(container));
  auto config = TRY(container.folder.LoadConfig());
  FixUp(config, request);
  const auto& base = config.linux.resources;
  const auto& given = request.resources;
  auto merged = oci::MergeResources(base, given);
  auto limits = Limits(ToWrite(given, merged), given);
  auto cgroup = TRY(cg::Cgroup::Open(container.record.cgroups));
  WarnOfPassedOver(cgroup, limits, request.warn);
  auto whole = Limits(Touched(merged, given), given);
  auto applied = UpdateLimits(container.record, cgroup, limits, whole);
  if (!applied) {
    auto restored = cgroup.Apply(Limits(Touched(base, given), given));
    if (!restored) {
      request.warn(StrCat("the limits from before cannot be set again: ", restored.error().Text()));
    }
    return applied;
  }
  TRY(container.folder.SaveResources(merged));
  return UpdateIntelRdt(request, cgroup, container);
}

}  // namespace kiste::runtime
