// SPDX-License-Identifier: Apache-2.0
#include <linux/mount.h>
#include <sched.h>

#include "base/json.h"
#include "base/strings.h"
#include "oci/namespace_names.h"
#include "oci/parse.h"
#include "runtime/surface.h"
#include "sys/file.h"
#include "sys/mountinfo.h"

namespace kiste::runtime {

namespace {

using Kind = SurfaceMount::Kind;

bool MapsHostRoot(const std::vector<oci::IdMapping>& mappings) {
  for (const auto& mapping : mappings) {
    if (mapping.host_id == 0 && mapping.size > 0) return true;
  }
  return false;
}

// A path of namespaces that is the one we are in shares the host's as much as no namespace at all.
bool IsOurs(const std::string& path, std::string_view link) {
  auto theirs = sys::StatAt(AT_FDCWD, path);
  auto ours = sys::StatAt(AT_FDCWD, StrCat("/proc/self/ns/", link));
  return theirs && ours && theirs->st_ino == ours->st_ino && theirs->st_dev == ours->st_dev;
}

// The name in /proc/<pid>/ns.
std::string_view LinkName(const oci::Name<int>& ns) {
  if (ns.number == CLONE_NEWNET) return "net";
  if (ns.number == CLONE_NEWNS) return "mnt";
  return ns.name;
}

int SharedNamespaces(const oci::Linux& linux) {
  int shared = 0;
  for (const auto& ns : oci::kNamespaceNames) {
    const auto* own = linux.Find(ns.number);
    if (own == nullptr || (!own->path.empty() && IsOurs(own->path, LinkName(ns))))
      shared |= ns.number;
  }
  return shared;
}

// What a program can come to have: with no_new_privs what it starts with, otherwise whatever a file
// with capabilities or a setuid program may give it (capabilities(7)).
uint64_t Attainable(const oci::Process& process) {
  if (!process.capabilities) return 0;
  const auto& sets = *process.capabilities;
  uint64_t held = sets.permitted.value_or(0) | sets.effective.value_or(0) |
                  sets.ambient.value_or(0) | sets.inheritable.value_or(0);
  return process.no_new_privileges ? held & sets.bounding.value_or(0) : sets.bounding.value_or(0);
}

void AddConfigMounts(const oci::Config& config, const std::string& bundle, SurfaceFacts& facts) {
  for (const auto& mount : config.mounts) {
    bool readonly = ((mount.attr_set | mount.rec_attr_set) & MOUNT_ATTR_RDONLY) != 0;
    std::string destination = sys::CleanPath(mount.destination);
    if (mount.remount) {
      if (readonly) facts.mounts.push_back({destination, "", "", true, Kind::kReadonly});
      continue;
    }
    bool absolute = mount.source.starts_with('/');
    std::string source =
        sys::CleanPath(absolute ? mount.source : StrCat(bundle, "/", mount.source));
    facts.mounts.push_back({destination, mount.bind ? "bind" : mount.type, mount.bind ? source : "",
                            readonly, Kind::kMount});
  }
  for (const auto& path : config.linux.readonly_paths)
    facts.mounts.push_back({sys::CleanPath(path), "", "", true, Kind::kReadonly});
  for (const auto& path : config.linux.masked_paths)
    facts.mounts.push_back({sys::CleanPath(path), "", "", true, Kind::kMask});
}

Result<SurfaceFacts> ConfigFacts(const oci::Config& config, const std::string& bundle) {
  if (!config.process) return Invalid("config.json: process: expected what to run, found nothing");
  SurfaceFacts facts;
  facts.filtered = config.linux.seccomp.has_value();
  facts.seccomp = config.linux.seccomp;
  facts.shared_namespaces = SharedNamespaces(config.linux);
  facts.root_is_unprivileged =
      (facts.shared_namespaces & CLONE_NEWUSER) == 0 && !MapsHostRoot(config.linux.uid_mappings);
  facts.uid = config.process->user.uid;
  facts.capabilities = Attainable(*config.process);
  facts.no_new_privileges = config.process->no_new_privileges;
  facts.confined =
      !config.process->apparmor_profile.empty() || !config.process->selinux_label.empty();
  facts.device_rules = config.linux.resources.devices;
  facts.devices = config.linux.devices;
  AddConfigMounts(config, bundle, facts);
  return facts;
}

// The value of `name` in /proc/<pid>/status.
std::string_view StatusField(std::string_view status, std::string_view name) {
  for (auto line : Split(status, '\n')) {
    if (line.starts_with(name) && line.substr(name.size()).starts_with(':'))
      return Trim(line.substr(name.size() + 1));
  }
  return {};
}

uint64_t StatusSet(std::string_view status, std::string_view name) {
  return ParseUint(StatusField(status, name), 16).value_or(0);
}

// Whether a comma-separated list of options has "ro".
bool IsReadonly(std::string_view options) {
  for (auto option : Split(options, ',')) {
    if (option == "ro") return true;
  }
  return false;
}

void AddProcessMounts(std::string_view mountinfo, SurfaceFacts& facts) {
  std::vector<SurfaceMount> mounts;
  for (auto line : Split(mountinfo, '\n')) {
    auto mount = sys::ReadMountLine(line);
    if (!mount) continue;
    mounts.push_back({sys::UnescapeMountWord(mount->point), std::string(mount->type), "",
                      IsReadonly(mount->options) || IsReadonly(mount->super_options), Kind::kMount,
                      mount->root != "/"});
  }
  // Binds of the host look like any file system there: which they are, config.json says.
  for (auto& mount : mounts) {
    for (const auto& given : facts.mounts) {
      if (given.type != "bind" || given.destination != mount.destination) continue;
      mount.source = given.source;
    }
  }
  facts.mounts = std::move(mounts);
}

// Whether the host's root is somebody in there, by /proc/<pid>/uid_map.
bool MapsHostRoot(std::string_view uid_map) {
  for (auto line : Split(uid_map, '\n')) {
    std::vector<std::string_view> words;
    for (auto word : Split(line, ' ')) {
      if (!word.empty()) words.push_back(word);
    }
    if (words.size() == 3 && words[1] == "0") return true;
  }
  return false;
}

Status AddProcessFacts(pid_t pid, SurfaceFacts& facts) {
  std::string proc = StrCat("/proc/", pid);
  facts.pid = pid;
  facts.shared_namespaces = 0;
  for (const auto& ns : oci::kNamespaceNames) {
    auto link = LinkName(ns);
    if (IsOurs(StrCat(proc, "/ns/", link), link)) facts.shared_namespaces |= ns.number;
  }
  auto status = TRY(sys::ReadFileAt(AT_FDCWD, StrCat(proc, "/status")));
  auto uid_map = TRY(sys::ReadFileAt(AT_FDCWD, StrCat(proc, "/uid_map")));
  auto mountinfo = TRY(sys::ReadFileAt(AT_FDCWD, StrCat(proc, "/mountinfo")));
  AddProcessTexts(status, uid_map, mountinfo, facts);
  return {};
}

}  // namespace

void AddProcessTexts(std::string_view status, std::string_view uid_map, std::string_view mountinfo,
                     SurfaceFacts& facts) {
  facts.filtered = StatusField(status, "Seccomp") == "2";
  facts.no_new_privileges = StatusField(status, "NoNewPrivs") == "1";
  uint64_t bounding = StatusSet(status, "CapBnd");
  uint64_t held = StatusSet(status, "CapPrm") | StatusSet(status, "CapInh");
  facts.capabilities = facts.no_new_privileges ? held : bounding | held;
  facts.root_is_unprivileged =
      (facts.shared_namespaces & CLONE_NEWUSER) == 0 && !MapsHostRoot(uid_map);
  AddProcessMounts(mountinfo, facts);
}

Result<SurfaceFacts> BundleSurface(const std::string& bundle) {
  std::string path = TRY_CONTEXT(sys::RealPath(bundle), "--bundle");
  std::string text = TRY(sys::ReadRegularFile(StrCat(path, "/config.json"), json::kMaxBytes));
  auto config = TRY(oci::ParseConfig(std::move(text), "config.json"));
  auto facts = TRY(ConfigFacts(config, path));
  facts.source = StrCat("bundle ", path);
  return facts;
}

Result<SurfaceFacts> ContainerSurface(const Container& container) {
  auto config = TRY(container.folder.LoadConfig());
  auto facts = TRY(ConfigFacts(config, container.record.bundle));
  facts.source = StrCat("container ", container.record.id);
  auto status = TRY(container.Status());
  // A created one has not come to its filter yet.
  if (status == ContainerStatus::kRunning || status == ContainerStatus::kPaused)
    TRY(AddProcessFacts(container.record.pid, facts));
  return facts;
}

}  // namespace kiste::runtime
