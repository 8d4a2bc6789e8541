// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup/device_rules.h"
#include "sys/cgroup/v1/controllers.h"

namespace kiste::sys::cgroup::v1 {

Status SetDevices(const Directory& directory, const std::vector<DeviceRule>& rules) {
  DeviceList list = TRY(FoldDeviceRules(rules));
  std::vector<std::string> exceptions;
  exceptions.reserve(list.exceptions.size());
  for (const auto& exception : list.exceptions) exceptions.push_back(exception.Text());
  // "a" sets the default and empties the list of exceptions.
  TRY(directory.Set("devices", list.allow ? "devices.allow" : "devices.deny", "a"));
  return directory.SetEach("devices", list.allow ? "devices.deny" : "devices.allow", exceptions);
}

}  // namespace kiste::sys::cgroup::v1
