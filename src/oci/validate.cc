// SPDX-License-Identifier: Apache-2.0
//
// The rules that span several fields. parse_*.cc has those of one field.
#include <sched.h>

#include "base/strings.h"
#include "oci/namespace_names.h"
#include "oci/parse.h"
#include "oci/sysctl_names.h"

namespace kiste::oci {

namespace {

// `what` of field `field` is wrong.
std::unexpected<Error> Wrong(const std::string& file, std::string_view field,
                             std::string_view what) {
  return Invalid(StrCat(file, ": ", field, ": ", what));
}

std::unexpected<Error> NeedsNamespace(const std::string& file, std::string_view field, int flag) {
  std::string_view name = NameOf(kNamespaceNames, flag);
  return Wrong(file, field,
               StrCat("needs linux.namespaces to have one of type \"", name,
                      "\": the host's would be changed"));
}

Status CheckHostname(const Config& config, const std::string& file) {
  if (config.linux.Find(CLONE_NEWUTS) != nullptr) return {};
  if (!config.hostname.empty()) return NeedsNamespace(file, "hostname", CLONE_NEWUTS);
  if (!config.domainname.empty()) return NeedsNamespace(file, "domainname", CLONE_NEWUTS);
  return {};
}

// Mappings beside a path are let through: containerd and CRI-O write the joined namespace's.
Status CheckUserNamespace(const Linux& part, const std::string& file) {
  const Namespace* user = part.Find(CLONE_NEWUSER);
  const bool has_uids = !part.uid_mappings.empty(), has_gids = !part.gid_mappings.empty();
  if (user == nullptr) {
    constexpr std::string_view kWhy = "there is no namespace of type \"user\" in linux.namespaces";
    if (has_uids) return Wrong(file, "linux.uidMappings", kWhy);
    if (has_gids) return Wrong(file, "linux.gidMappings", kWhy);
    return {};
  }
  if (!user->path.empty()) return {};
  constexpr std::string_view kMissing = "missing, and a new user namespace needs them";
  if (!has_uids) return Wrong(file, "linux.uidMappings", kMissing);
  if (!has_gids) return Wrong(file, "linux.gidMappings", kMissing);
  return {};
}

Status CheckTimeNamespace(const Linux& part, const std::string& file) {
  if (part.time_offsets.empty()) return {};
  const Namespace* time = part.Find(CLONE_NEWTIME);
  if (time == nullptr) return NeedsNamespace(file, "linux.timeOffsets", CLONE_NEWTIME);
  if (!time->path.empty()) {
    return Wrong(file, "linux.timeOffsets",
                 "the time namespace that is joined has its own already");
  }
  return {};
}

Status CheckPaths(const Linux& part, const std::string& file) {
  if (part.Find(CLONE_NEWNS) != nullptr) return {};
  if (!part.masked_paths.empty()) return NeedsNamespace(file, "linux.maskedPaths", CLONE_NEWNS);
  if (!part.readonly_paths.empty()) return NeedsNamespace(file, "linux.readonlyPaths", CLONE_NEWNS);
  return {};
}

Status CheckSysctl(const Linux& part, const std::string& name, const std::string& file) {
  const std::string field = StrCat("linux.sysctl[", Quote(name), "]");
  const std::string path = SysctlPath(name);
  if (path.empty()) return Wrong(file, field, "expected a name like net.ipv4.ip_forward");
  if (path == "kernel/hostname") return Wrong(file, field, "use the field hostname instead");
  const int flag = SysctlNamespace(path);
  if (flag == 0) {
    return Wrong(file, field, "belongs to no namespace: the whole host's would be changed");
  }
  if (part.Find(flag) == nullptr) return NeedsNamespace(file, field, flag);
  return {};
}

// An id-mapped mount without mappings takes those of the container's user namespace.
Status CheckIdmaps(const Config& config, const std::string& file) {
  if (config.linux.Find(CLONE_NEWUSER) != nullptr) return {};
  for (size_t i = 0; i < config.mounts.size(); ++i) {
    const Mount& mount = config.mounts[i];
    if (!mount.idmap || !mount.uid_mappings.empty()) continue;
    return Wrong(file, StrCat("mounts[", i, "].options"),
                 "idmap needs uidMappings and gidMappings, or a user namespace to take them from");
  }
  return {};
}

}  // namespace

Status Validate(const Config& config, const std::string& file) {
  TRY(CheckHostname(config, file));
  TRY(CheckUserNamespace(config.linux, file));
  TRY(CheckTimeNamespace(config.linux, file));
  TRY(CheckPaths(config.linux, file));
  for (const auto& [name, value] : config.linux.sysctl) TRY(CheckSysctl(config.linux, name, file));
  TRY(CheckIdmaps(config, file));
  if (!config.linux.net_devices.empty() && config.linux.Find(CLONE_NEWNET) == nullptr) {
    return NeedsNamespace(file, "linux.netDevices", CLONE_NEWNET);
  }
  return {};
}

}  // namespace kiste::oci
