// SPDX-License-Identifier: Apache-2.0
//
// DevicePolicy and DeviceAllow (systemd.resource-control(5)). DeviceAllow names a device by its
// number as /dev/char/1:3, a whole major as char-1 (since systemd 240), everything as char-*.
#include "base/strings.h"
#include "sys/cgroup/device_rules.h"
#include "sys/cgroup/systemd/properties.h"

namespace kiste::sys::cgroup::systemd {

namespace {

std::string AccessText(uint8_t access) {
  std::string text;
  if (access & kDeviceRead) text += 'r';
  if (access & kDeviceWrite) text += 'w';
  if (access & kDeviceMknod) text += 'm';
  return text;
}

// "" when systemd has no word for it: a minor number of every major.
std::string DeviceName(const DeviceException& device) {
  std::string kind = device.type == 'b' ? "block" : "char";
  if (device.major < 0) return device.minor < 0 ? kind + "-*" : "";
  if (device.minor < 0) return StrCat(kind, "-", device.major);
  return StrCat("/dev/", kind, "/", device.major, ":", device.minor);
}

dbus::Value Entry(std::string name, const DeviceException& device) {
  return dbus::Struct({dbus::String(std::move(name)), dbus::String(AccessText(device.access))});
}

std::vector<Property> Properties(std::string policy, std::vector<dbus::Value> entries) {
  std::vector<Property> properties;
  properties.push_back({"DevicePolicy", dbus::String(std::move(policy))});
  // An empty list takes back what the unit had.
  properties.push_back({"DeviceAllow", dbus::Array("(ss)", {})});
  if (!entries.empty()) {
    properties.push_back({"DeviceAllow", dbus::Array("(ss)", std::move(entries))});
  }
  return properties;
}

}  // namespace

Result<std::vector<Property>> DeviceProperties(const std::vector<DeviceRule>& rules, bool v2) {
  if (rules.empty()) return std::vector<Property>();
  auto list = FoldDeviceRules(rules);
  if (!list && (list.error().kind != ErrorKind::kUnsupported || !v2)) {
    return std::unexpected(std::move(list).error());
  }
  // What is not a list of what is allowed systemd cannot say. All is at least that much, and
  // nothing at most; on v1 Cgroup::Apply writes what is meant.
  if (!list || list->allow) {
    bool all = v2 || list->exceptions.empty();
    return Properties(all ? "auto" : "strict", {});
  }
  std::vector<dbus::Value> entries;
  for (const auto& device : list->exceptions) {
    std::string name = DeviceName(device);
    if (name.empty() && !v2) continue;
    if (name.empty()) name = device.type == 'b' ? "block-*" : "char-*";
    entries.push_back(Entry(std::move(name), device));
  }
  return Properties("strict", std::move(entries));
}

}  // namespace kiste::sys::cgroup::systemd
