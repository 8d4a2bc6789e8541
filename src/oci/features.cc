// SPDX-License-Identifier: Apache-2.0
#include "oci/features.h"

#include <algorithm>

#include "base/json.h"
#include "oci/capability_names.h"
#include "oci/config.h"
#include "oci/hook_names.h"
#include "oci/memory_policy_names.h"
#include "oci/mount_options.h"
#include "oci/namespace_names.h"
#include "oci/state.h"

namespace kiste::oci {

namespace {

using Writer = json::PrettyWriter;

constexpr std::string_view kOldestVersion = "1.0.0";

template <typename List>
void Names(Writer& writer, std::string_view key, const List& names) {
  json::Key(writer, key);
  writer.StartArray();
  for (const auto& name : names) json::Text(writer, name);
  writer.EndArray();
}

template <typename List>
void SortedNames(Writer& writer, std::string_view key, List names) {
  std::ranges::sort(names);
  Names(writer, key, names);
}

template <typename Write>
void Object(Writer& writer, std::string_view key, Write write) {
  json::Key(writer, key);
  writer.StartObject();
  write();
  writer.EndObject();
}

void Enabled(Writer& writer, std::string_view key, bool enabled) {
  Object(writer, key, [&] { json::Member(writer, "enabled", enabled); });
}

std::vector<std::string_view> HookNames() {
  std::vector<std::string_view> names;
  for (const auto& entry : kHookNames) names.push_back(entry.name);
  return names;
}

std::vector<std::string> MountOptions(const Carried& carried) {
  auto names = KnownMountOptions();
  if (!carried.id_mapped_mounts) {
    std::erase_if(names, [](const auto& name) { return name == "idmap" || name == "ridmap"; });
  }
  return names;
}

std::vector<std::string_view> NamespaceNames() {
  std::vector<std::string_view> names;
  for (const auto& entry : kNamespaceNames) names.push_back(entry.name);
  return names;
}

std::vector<std::string_view> CapabilityNames() {
  std::vector<std::string_view> names;
  for (int number = 0; number < kCapabilityCount; ++number) {
    names.push_back(CapabilityName(number));
  }
  return names;
}

// Annotations of config.json that change what this runtime does; a name with a dot at its end
// stands for all that begin so.
std::vector<std::string_view> UnsafeAnnotations(const Carried& carried) {
  std::vector<std::string_view> names;
  if (carried.systemd_cgroup) names.emplace_back("org.systemd.property.");
  if (carried.checkpoint) names.emplace_back("org.criu.config");
  names.emplace_back(kKeepGroupsAnnotation);
  return names;
}

void WriteCgroup(Writer& writer, const Carried& carried) {
  json::Member(writer, "v1", true);
  json::Member(writer, "v2", true);
  json::Member(writer, "systemd", carried.systemd_cgroup);
  json::Member(writer, "systemdUser", carried.systemd_user_cgroup);
  json::Member(writer, "rdma", true);
}

void WriteSeccomp(Writer& writer, SeccompWords words) {
  json::Member(writer, "enabled", true);
  SortedNames(writer, "actions", std::move(words.actions));
  SortedNames(writer, "operators", std::move(words.operators));
  SortedNames(writer, "archs", std::move(words.architectures));
  Names(writer, "knownFlags", words.known_flags);
  Names(writer, "supportedFlags", words.supported_flags);
}

void WriteLinux(Writer& writer, const Carried& carried, SeccompWords seccomp) {
  SortedNames(writer, "namespaces", NamespaceNames());
  Names(writer, "capabilities", CapabilityNames());
  Object(writer, "cgroup", [&] { WriteCgroup(writer, carried); });
  Object(writer, "seccomp", [&] { WriteSeccomp(writer, std::move(seccomp)); });
  Enabled(writer, "apparmor", true);
  Enabled(writer, "selinux", carried.selinux);
  Object(writer, "intelRdt", [&] {
    json::Member(writer, "enabled", carried.intel_rdt);
    json::Member(writer, "schemata", carried.intel_rdt_schemata);
    json::Member(writer, "monitoring", carried.intel_rdt_monitoring);
  });
  if (carried.memory_policy) {
    Object(writer, "memoryPolicy", [&] {
      Names(writer, "modes", kMemoryModes);
      Names(writer, "flags", kMemoryFlags);
    });
  }
  Object(writer, "mountExtensions", [&] { Enabled(writer, "idmap", carried.id_mapped_mounts); });
  Enabled(writer, "netDevices", carried.net_devices);
}

}  // namespace

std::string FeaturesJson(const Carried& carried, SeccompWords seccomp,
                         const std::map<std::string, std::string>& annotations) {
  json::Buffer buffer;
  Writer writer(buffer);
  writer.SetIndent(' ', 4);
  writer.StartObject();
  json::Member(writer, "ociVersionMin", kOldestVersion);
  json::Member(writer, "ociVersionMax", kVersion);
  Names(writer, "hooks", HookNames());
  Names(writer, "mountOptions", MountOptions(carried));
  Object(writer, "linux", [&] { WriteLinux(writer, carried, std::move(seccomp)); });
  Object(writer, "annotations", [&] {
    for (const auto& [name, value] : annotations)
      json::Member(writer, name, std::string_view(value));
    if (carried.checkpoint)
      json::Member(writer, "org.opencontainers.runc.checkpoint.enabled", "true");
  });
  Names(writer, "potentiallyUnsafeConfigAnnotations", UnsafeAnnotations(carried));
  writer.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

}  // namespace kiste::oci
