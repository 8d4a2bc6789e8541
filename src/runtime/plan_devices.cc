// SPDX-License-Identifier: Apache-2.0
//
// /dev: the default devices and links of config-linux.md ("Default Devices", "Default Device
// Symbolic Links") and linux.devices.
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "runtime/plan.h"
#include "sys/file.h"

namespace kiste::runtime {

namespace {

struct DefaultDevice {
  const char* path;
  uint32_t major, minor;
};
constexpr DefaultDevice kDefaultDevices[] = {
    {"/dev/null", 1, 3},   {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},
    {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0},
};

mode_t TypeBits(char type) { return type == 'b' ? S_IFBLK : type == 'p' ? S_IFIFO : S_IFCHR; }

isolation::DeviceNode Node(const oci::Device& device) {
  constexpr uint32_t kPermissions = 07777;  // engines hand over the type's bits as well
  return {.path = sys::CleanPath(device.path),
          .mode = TypeBits(device.type) | (device.file_mode.value_or(0666) & kPermissions),
          .major = static_cast<uint32_t>(device.major),
          .minor = static_cast<uint32_t>(device.minor),
          .uid = device.uid.value_or(0),
          .gid = device.gid.value_or(0)};
}

// Of several with one path the last one stays, at its place.
void KeepLastOfEachPath(std::vector<isolation::DeviceNode>& devices) {
  std::map<std::string_view, size_t> last;
  for (size_t i = 0; i < devices.size(); ++i) last[devices[i].path] = i;
  std::vector<bool> stays(devices.size());
  for (const auto& [path, index] : last) stays[index] = true;
  size_t kept = 0;
  for (size_t i = 0; i < devices.size(); ++i) {
    if (!stays[i]) continue;
    if (kept != i) devices[kept] = std::move(devices[i]);
    ++kept;
  }
  devices.resize(kept);
}

bool IsMountedOn(const oci::Config& config, std::string_view path) {
  return std::ranges::any_of(config.mounts, [&](const oci::Mount& mount) {
    return sys::CleanPath(StrCat("/", mount.destination)) == path;
  });
}

bool DevIsBound(const oci::Config& config) {
  return std::any_of(config.mounts.begin(), config.mounts.end(), [](const oci::Mount& mount) {
    return mount.bind && sys::CleanPath(mount.destination) == "/dev";
  });
}

}  // namespace

Status PlanDevices(const oci::Config& config, const Caller& caller, isolation::RootPlan& root) {
  if (DevIsBound(config)) return {};  // somebody else's /dev: nothing is made in there
  for (const auto& device : kDefaultDevices) {
    root.devices.push_back({.path = device.path,
                            .mode = S_IFCHR | 0666,
                            .major = device.major,
                            .minor = device.minor});
  }
  for (const auto& device : config.linux.devices) {
    auto node = Node(device);
    if (node.path == "/dev/ptmx") continue;  // stays the link to the container's own devpts
    // What an engine's user mounts at the very path of one of its devices is to be seen there.
    node.must_match = !IsMountedOn(config, node.path);
    root.devices.push_back(std::move(node));
  }
  KeepLastOfEachPath(root.devices);
  root.bind_devices = caller.in_user_namespace || config.linux.Find(CLONE_NEWUSER) != nullptr;
  root.dev_links = {{"/proc/self/fd", "/dev/fd"},
                    {"/proc/self/fd/0", "/dev/stdin"},
                    {"/proc/self/fd/1", "/dev/stdout"},
                    {"/proc/self/fd/2", "/dev/stderr"},
                    {"pts/ptmx", "/dev/ptmx"}};
  if (access("/proc/kcore", F_OK) == 0) root.dev_links.push_back({"/proc/kcore", "/dev/core"});
  return {};
}

}  // namespace kiste::runtime
