// SPDX-License-Identifier: Apache-2.0
#include "runtime/making.h"

#include <signal.h>

#include "base/strings.h"
#include "runtime/cgroup_claims.h"
#include "runtime/external.h"
#include "runtime/intel_rdt.h"
#include "sys/procfs.h"

namespace kiste::runtime {

namespace {

namespace cg = sys::cgroup;

// Whether an ordinary user's want of cgroups can be overlooked: nothing there was asked for.
bool CgroupsDispensable(const Caller& caller, const Error& error) {
  int code = error.errno_value;
  return caller.rootless && (code == EACCES || code == EPERM || code == EROFS || code == ENOENT);
}

// A container's cgroup is killed and removed with it: one that somebody else's processes are in can
// never be taken (the root cgroup for one).
Status CheckNobodyInside(const cg::Cgroup& cgroup) {
  auto pids = TRY(cgroup.Occupants());
  if (pids.empty()) return {};
  return Fail(ErrorKind::kExists,
              StrCat("linux.cgroupsPath: the cgroup exists already and holds ", pids.size(),
                     pids.size() == 1 ? " process" : " processes"));
}

// Nor one that is frozen: the container would never get anywhere.
Status CheckUsable(const cg::Cgroup& cgroup) {
  TRY(CheckNobodyInside(cgroup));
  if (!TRY(cgroup.IsFrozen())) return {};
  return Fail(ErrorKind::kState, "linux.cgroupsPath: the cgroup exists already and is frozen");
}

// The cgroup of a unit that does not exist yet.
Status PlanUnitCgroup(const CreateRequest& request, const oci::Config& config, const Caller& caller,
                      Cgroups& planned) {
  planned.unit = TRY(PlanUnit(planned.layout, config, request.id, caller));
  planned.unit->request.resources = CgroupResources(config.linux.resources);
  // A user's manager rules over no devices.
  if (caller.rootless) planned.unit->request.resources.devices.clear();
  planned.cgroup = TRY(cg::Cgroup::Plan(planned.layout, planned.unit->cgroup_path));
  if (!planned.cgroup->Existing().empty()) return CheckUsable(*planned.cgroup);
  return {};
}

// An ordinary user may give nothing away: then it stays his, whom the container's root mostly is.
Status GiveCgroup(const oci::Config& config, const Caller& caller, const cg::Cgroup& cgroup) {
  auto owner = CgroupOwner(config);
  if (!owner || *owner == caller.uid || caller.rootless) return {};
  auto given = cgroup.Delegate(*owner);
  return given ? given : Context(std::move(given), "linux.cgroupsPath");
}

Status ApplyLimits(const CreateRequest& request, const oci::Config& config, const Caller& caller,
                   const cg::Cgroup& cgroup) {
  auto limits = CgroupResources(config.linux.resources);
  limits.devices_optional = caller.rootless;
  WarnOfPassedOver(cgroup, limits, request.warn);
  auto applied = cgroup.Apply(limits);
  if (applied) return GiveCgroup(config, caller, cgroup);
  if (!CgroupsDispensable(caller, applied.error())) {
    return Context(std::move(applied), "linux.resources");
  }
  request.warn(applied.error().Text());
  return {};
}

int AllNamespaces(const oci::Linux& linux) {
  int flags = 0;
  for (const auto& ns : linux.namespaces) flags |= ns.flag;
  return flags;
}

}  // namespace

Result<Cgroups> PlanCgroups(const CreateRequest& request, const oci::Config& config,
                            const Caller& caller) {
  const auto& linux = config.linux;
  Cgroups planned;
  planned.layout = TRY(cg::Detect());
  if (request.systemd_cgroup) {
    TRY(PlanUnitCgroup(request, config, caller, planned));
    return planned;
  }
  if (request.no_cgroups || planned.layout.kind == cg::Kind::kNone) return planned;
  std::string path = linux.cgroups_path.empty() ? request.id : linux.cgroups_path;
  auto cgroup = cg::Cgroup::Plan(planned.layout, path);
  if (!cgroup && caller.rootless && linux.cgroups_path.empty()) return planned;
  if (!cgroup) return Context(std::move(cgroup), "linux.cgroupsPath");
  planned.cgroup.emplace(std::move(*cgroup));
  planned.existing = planned.cgroup->Existing();
  if (!planned.existing.empty()) TRY(CheckUsable(*planned.cgroup));
  return planned;
}

Status MakeCgroups(const CreateRequest& request, const oci::Config& config, const Caller& caller,
                   Cgroups& cgroups) {
  const auto& linux = config.linux;
  if (!cgroups.cgroup || cgroups.unit) return {};
  auto made = cgroups.cgroup->Make();
  if (!made) {
    cgroups.cgroup.reset();
    if (!CgroupsDispensable(caller, made.error())) {
      return Context(std::move(made), "linux.cgroupsPath");
    }
    if (!linux.cgroups_path.empty()) request.warn(made.error().Text());
    return {};
  }
  if (!cgroups.cgroup->created()) TRY(CheckUsable(*cgroups.cgroup));
  return ApplyLimits(request, config, caller, *cgroups.cgroup);
}

Status EnterUnit(const CreateRequest& request, const oci::Config& config, const Caller& caller,
                 Cgroups& cgroups, pid_t pid) {
  auto& unit = *cgroups.unit;
  TRY(cg::systemd::EnterUnit(unit.manager, unit.request, pid, *cgroups.cgroup));
  cgroups.entered = true;
  return ApplyLimits(request, config, caller, *cgroups.cgroup);
}

void RemoveCgroups(Cgroups& cgroups) {
  if (!cgroups.cgroup || (cgroups.unit && !cgroups.entered)) return;
  if (cgroups.unit || cgroups.cgroup->created()) {
    static_cast<void>(cgroups.cgroup->KillAll(SIGKILL));
  }
  if (!cgroups.unit) return cgroups.cgroup->Undo();
  static_cast<void>(cgroups.unit->manager.Stop(cgroups.unit->request.place.unit));
  static_cast<void>(cgroups.cgroup->Remove(std::chrono::seconds(1)));
}

Status CheckConsole(const CreateRequest& request, const oci::Process& process) {
  bool given = !request.console_socket.empty() || request.console;
  if (process.terminal && !given) {
    return Invalid(
        "process.terminal: a detached container needs --console-socket for its terminal");
  }
  if (!process.terminal && !request.console_socket.empty()) {
    return Invalid("--console-socket: process.terminal is false, there is no terminal to send");
  }
  return {};
}

Record NewRecord(const Store& store, const CreateRequest& request, const Bundle& bundle,
                 const Cgroups& cgroups, const Caller& caller) {
  Record record{
      .id = request.id, .bundle = bundle.path, .rootfs = bundle.rootfs, .created = UtcNow(9)};
  record.being_made = true;
  record.namespaces = AllNamespaces(bundle.config.linux);
  record.owner = caller.uid;
  record.rootless = caller.rootless;
  if (cgroups.cgroup) record.cgroups = cgroups.cgroup->paths();
  record.kept_cgroups = NotMadeHere(store, cgroups.existing);
  if (cgroups.unit) {
    record.systemd_unit = cgroups.unit->request.place.unit;
    record.systemd_user = caller.rootless;
  }
  record.annotations = bundle.config.annotations;
  if (!bundle.config.process->terminal) record.descriptors = OwnStreams();
  return record;
}

Status MakeRdtGroups(const oci::Config& config, Container& container) {
  if (!config.linux.intel_rdt) return {};
  auto resctrl = TRY_CONTEXT(sys::Resctrl::Find(), "linux.intelRdt");
  TRY(PlanRdt(resctrl, *config.linux.intel_rdt, container.record));
  TRY(container.folder.Save(container.record));
  return MakeRdt(resctrl, *config.linux.intel_rdt, container.record.rdt);
}

Status RecordProcess(Container& container, pid_t pid) {
  auto stat = TRY(sys::StatProcess(pid));
  container.record.pid = pid;
  container.record.start_time = stat.start_time;
  TRY(container.folder.Save(container.record));
  return JoinRdt(container.record.rdt, pid);
}

Status RecordMade(Container& container) {
  container.record.being_made = false;
  return container.folder.FinishMaking();
}

}  // namespace kiste::runtime
