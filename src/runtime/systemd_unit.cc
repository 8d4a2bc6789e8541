// SPDX-License-Identifier: Apache-2.0
#include "runtime/systemd_unit.h"

#include "base/strings.h"

namespace kiste::runtime {

namespace {

namespace cg = sys::cgroup;
namespace systemd = sys::cgroup::systemd;

systemd::ManagerKind KindOf(bool user) {
  return user ? systemd::ManagerKind::kUser : systemd::ManagerKind::kSystem;
}

Result<systemd::Manager> Connect(const Record& record) {
  return systemd::Manager::Connect(KindOf(record.systemd_user));
}

}  // namespace

Result<PlannedUnit> PlanUnit(const cg::Layout& layout, const oci::Config& config,
                             const std::string& id, const Caller& caller) {
  if (!systemd::IsBooted()) {
    return Fail(ErrorKind::kUnsupported, "--systemd-cgroup: systemd does not run on this host");
  }
  if (layout.kind == cg::Kind::kNone) {
    return Fail(ErrorKind::kUnsupported, "--systemd-cgroup: no cgroup file system is mounted");
  }
  if (caller.rootless && layout.kind != cg::Kind::kV2) {
    return Fail(ErrorKind::kUnsupported,
                "--systemd-cgroup: without root it needs a host with cgroup v2 alone");
  }
  auto kind = KindOf(caller.rootless);
  systemd::UnitRequest request{.kind = kind, .description = StrCat("kiste container ", id)};
  request.place =
      TRY_CONTEXT(systemd::PlaceUnit(config.linux.cgroups_path, id, kind), "linux.cgroupsPath");
  TRY(systemd::PropertiesFromAnnotations(config.annotations));  // wrong ones are found early
  request.annotations = config.annotations;
  auto manager = TRY_CONTEXT(systemd::Manager::Connect(kind), "--systemd-cgroup");
  std::string path = request.place.path;
  if (caller.rootless) path = TRY(manager.ControlGroup()) + path;
  return PlannedUnit{std::move(manager), std::move(request), std::move(path)};
}

Status StopUnit(const Record& record) {
  if (record.systemd_unit.empty()) return {};
  auto manager = TRY(Connect(record));
  return manager.Stop(record.systemd_unit);
}

Status AttachToUnit(const Record& record, const std::string& sub_path, pid_t pid) {
  auto manager = TRY(Connect(record));
  return manager.Attach(record.systemd_unit, sub_path, pid);
}

Status UpdateLimits(const Record& record, const cg::Cgroup& cgroup, const cg::Resources& change,
                    cg::Resources whole) {
  if (record.systemd_unit.empty()) return cgroup.Apply(change);
  auto manager = TRY(Connect(record));
  // A user's manager rules over no devices.
  if (record.systemd_user) whole.devices.clear();
  return systemd::UpdateUnit(manager, record.systemd_unit, cgroup, change, whole);
}

}  // namespace kiste::runtime
