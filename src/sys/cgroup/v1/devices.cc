// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup/device_rules.h"
#include "sys/cgroup/v1/controllers.h"

namespace kiste::sys::cgroup::v1 {

Result<DeviceChange> PlanDevices(const Directory& directory, const std::vector<DeviceRule>& rules) {
  DeviceList wanted = TRY(FoldDeviceRules(rules));
  // A new one has its parent's list, and nobody in it who could notice the way to another.
  if (directory.fresh) return ChangeDeviceList({.allow = true}, wanted);
  std::string text = TRY(directory.Read("devices.list"));
  return ChangeDeviceList(TRY(ParseDeviceList(text)), wanted);
}

Status ChangeDevices(const Directory& directory, const DeviceChange& change) {
  constexpr char kField[] = "devices", kAllow[] = "devices.allow", kDeny[] = "devices.deny";
  if (change.everything) TRY(directory.Set(kField, *change.everything ? kAllow : kDeny, "a"));
  TRY(directory.SetEach(kField, kAllow, change.allow));
  return directory.SetEach(kField, kDeny, change.deny);
}

}  // namespace kiste::sys::cgroup::v1
