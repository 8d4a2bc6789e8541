// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup/systemd/unit.h"

#include "base/defer.h"
#include "base/strings.h"

namespace kiste::sys::cgroup::systemd {

namespace {

bool IsPureV2(const Cgroup& cgroup) {
  auto paths = cgroup.paths();
  return paths.size() == 1 && paths.contains("");
}

Result<SystemdHost> HostFor(Manager& manager, const Resources& resources, const Cgroup& cgroup) {
  SystemdHost host{.v2 = IsPureV2(cgroup)};
  if (NeedsVersion(resources)) host.version = TRY(manager.Version());
  return host;
}

void Append(std::vector<Property>& to, std::vector<Property> more) {
  for (auto& property : more) to.push_back(std::move(property));
}

}  // namespace

Result<std::vector<Property>> UnitProperties(const UnitRequest& request, const SystemdHost& host,
                                             pid_t pid) {
  std::vector<Property> properties = {{"Description", dbus::String(request.description)}};
  if (request.place.IsSlice()) {
    // It lies where its name says, and has no processes of systemd's.
    properties.push_back({"Wants", dbus::Strings({request.place.slice})});
  } else {
    properties.push_back({"Slice", dbus::String(request.place.slice)});
    properties.push_back({"Delegate", dbus::Bool(true)});
    properties.push_back({"PIDs", dbus::Array("u", {dbus::Uint32(static_cast<uint32_t>(pid))})});
    Append(properties, ScopeProperties(request.resources, host));
  }
  properties.push_back({"DefaultDependencies", dbus::Bool(false)});
  // A container that was killed for its memory leaves a failed unit: it shall not be kept for that.
  properties.push_back({"CollectMode", dbus::String("inactive-or-failed")});
  // Counted whether limited or not: joining a memory cgroup later would count from then on.
  for (std::string_view name : {"CPU", "Memory", "Tasks", host.v2 ? "IO" : "BlockIO"}) {
    properties.push_back({StrCat(name, "Accounting"), dbus::Bool(true)});
  }
  Append(properties, TRY(ResourceProperties(request.resources, host)));
  // A user's manager may not attach device programs.
  if (request.kind == ManagerKind::kSystem) {
    Append(properties, TRY(DeviceProperties(request.resources.devices, host.v2)));
  }
  Append(properties, TRY(PropertiesFromAnnotations(request.annotations)));
  return properties;
}

Status EnterUnit(Manager& manager, const UnitRequest& request, pid_t pid, Cgroup& cgroup) {
  auto host = TRY(HostFor(manager, request.resources, cgroup));
  auto properties = TRY(UnitProperties(request, host, pid));
  TRY(manager.Start(request.place.unit, properties));
  Defer undo([&] { static_cast<void>(manager.Stop(request.place.unit)); });
  TRY(cgroup.Make());
  TRY(cgroup.JoinWhereMissing(pid));
  undo.Cancel();
  return {};
}

Status UpdateUnit(Manager& manager, const std::string& unit, const Cgroup& cgroup,
                  const Resources& change, const Resources& whole) {
  auto host = TRY(HostFor(manager, whole, cgroup));
  auto properties = TRY(ResourceProperties(whole, host));
  Append(properties, TRY(DeviceProperties(whole.devices, host.v2)));
  TRY(cgroup.Apply(change));
  auto tell = [&]() -> Status {
    TRY(manager.SetProperties(unit, properties));
    // systemd has written its own, rounded ones.
    return cgroup.Apply(whole);
  };
  // On v1 systemd denies every device before it allows those of the list.
  return whole.devices.empty() || host.v2 ? tell() : cgroup.WhileFrozen(tell);
}

}  // namespace kiste::sys::cgroup::systemd
