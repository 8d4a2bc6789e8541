// SPDX-License-Identifier: Apache-2.0
//
// config-linux.md, but for the parts that have a file of their own.
#include <algorithm>
#include <array>

#include "base/strings.h"
#include "oci/fields.h"
#include "oci/memory_policy_names.h"
#include "oci/namespace_names.h"
#include "oci/readers.h"

namespace kiste::oci {

using json::Value;

namespace {

using Words = std::string_view;

constexpr std::array<Words, 8> kPropagations = {"shared",  "slave",  "private",  "unbindable",
                                                "rshared", "rslave", "rprivate", "runbindable"};
constexpr std::array<Words, 2> kDomains = {"LINUX", "LINUX32"};

Result<Namespace> ReadNamespace(const Value& value) {
  TRY(value.ExpectObject());
  Namespace found;
  found.flag = TRY(Named(value["type"], kNamespaceNames));
  Value path = value["path"];
  found.path = TRY(OptionalString(path));
  if (!found.path.empty() && !found.path.starts_with('/')) return path.Expected("an absolute path");
  return found;
}

Result<std::vector<Namespace>> ReadNamespaces(const Value& value) {
  std::vector<Namespace> namespaces = TRY(ListOf(value, ReadNamespace));
  unsigned seen = 0;
  for (size_t i = 0; i < namespaces.size(); ++i) {
    const auto flag = static_cast<unsigned>(namespaces[i].flag);
    if ((seen & flag) != 0) {
      return WrongAt(value, i,
                     StrCat("a namespace of type \"", NameOf(kNamespaceNames, namespaces[i].flag),
                            "\" stands there already"));
    }
    seen |= flag;
  }
  return namespaces;
}

Result<std::map<std::string, TimeOffset>> ReadTimeOffsets(const Value& value) {
  constexpr int64_t kNanosecsMost = 999'999'999;
  std::map<std::string, TimeOffset> offsets;
  auto insert = [&](std::string_view clock, const Value& member) -> Status {
    if (clock != "monotonic" && clock != "boottime") {
      return member.Wrong("expected the clock monotonic or boottime");
    }
    TRY(member.ExpectObject());
    TimeOffset offset;
    offset.secs = TRY(OptionalInt(member["secs"])).value_or(0);
    if (Value nanosecs = member["nanosecs"]) {
      offset.nanosecs = static_cast<uint32_t>(TRY(IntBetween(nanosecs, 0, kNanosecsMost)));
    }
    offsets.emplace(clock, offset);
    return {};
  };
  TRY(value.ForEachMember(insert));
  return offsets;
}

Status ReadRootfsPropagation(const Value& value, Linux& linux_part) {
  if (TRY(OptionalString(value)).empty()) return {};
  std::string propagation = TRY(OneOf(value, kPropagations));
  linux_part.rootfs_propagation_recursive = propagation.starts_with('r');
  if (linux_part.rootfs_propagation_recursive) propagation.erase(0, 1);
  linux_part.rootfs_propagation = std::move(propagation);
  return {};
}

// A folder's name in resctrl, or "/" for the default class; its lines one by one.
Result<IntelRdt> ReadIntelRdt(const Value& value) {
  TRY(value.ExpectObject());
  IntelRdt rdt;
  rdt.clos_id = TRY(OptionalString(value["closID"]));
  const bool is_folder =
      rdt.clos_id.find('/') == std::string::npos && rdt.clos_id != "." && rdt.clos_id != "..";
  if (!is_folder && rdt.clos_id != "/")
    return value["closID"].Expected("a name without a slash, or \"/\"");
  rdt.l3_cache_schema = TRY(OptionalString(value["l3CacheSchema"]));
  rdt.mem_bw_schema = TRY(OptionalString(value["memBwSchema"]));
  rdt.schemata = TRY(value["schemata"].Strings());
  for (size_t i = 0; i < rdt.schemata.size(); ++i) {
    if (rdt.schemata[i].find('\n') == std::string::npos) continue;
    return ExpectedAt(value["schemata"], i, "a line without a newline");
  }
  if (rdt.mem_bw_schema.find('\n') != std::string::npos ||
      (!rdt.mem_bw_schema.empty() && !rdt.mem_bw_schema.starts_with("MB:"))) {
    return value["memBwSchema"].Expected("a line without a newline that begins with \"MB:\"");
  }
  rdt.enable_monitoring = TRY(value["enableMonitoring"].BoolOr(false));
  return rdt;
}

Result<MemoryPolicy> ReadMemoryPolicy(const Value& value) {
  TRY(value.ExpectObject());
  MemoryPolicy policy;
  policy.mode = TRY(OneOf(value["mode"], kMemoryModes));
  policy.nodes = TRY(NumberList(value["nodes"]));
  policy.flags =
      TRY(ListOf(value["flags"], [](const Value& flag) { return OneOf(flag, kMemoryFlags); }));
  const bool has_nodes = policy.nodes.find_first_not_of(", ") != std::string::npos;
  const bool wants_none = policy.mode == "MPOL_DEFAULT" || policy.mode == "MPOL_LOCAL";
  if (wants_none && has_nodes) return value["nodes"].Expected("no nodes with " + policy.mode);
  if (!wants_none && !has_nodes && policy.mode != "MPOL_PREFERRED") {
    return value["nodes"].Expected("at least one node with " + policy.mode);
  }
  return policy;
}

// dev_valid_name() of the kernel: what a network interface can be called.
bool IsInterfaceName(std::string_view name) {
  constexpr size_t kLongest = 15;
  return !name.empty() && name.size() <= kLongest && name != "." && name != ".." &&
         name.find_first_of("/: \t\n\v\f\r") == std::string_view::npos;
}

Result<std::map<std::string, std::string>> ReadNetDevices(const Value& value) {
  std::map<std::string, std::string> devices;
  auto insert = [&](std::string_view name, const Value& member) -> Status {
    if (!IsInterfaceName(name)) {
      return value.Wrong(StrCat("expected the name of a network interface, found ", Quote(name)));
    }
    TRY(member.ExpectObject());
    std::string inside = TRY(OptionalString(member["name"]));
    if (!inside.empty() && !IsInterfaceName(inside)) {
      return member["name"].Expected("the name of a network interface");
    }
    devices.emplace(name, std::move(inside));
    return {};
  };
  TRY(value.ForEachMember(insert));
  return devices;
}

Result<Personality> ReadPersonality(const Value& value) {
  TRY(value.ExpectObject());
  Personality personality;
  personality.domain = TRY(OneOf(value["domain"], kDomains));
  return personality;
}

}  // namespace

Result<Linux> ReadLinux(const Value& value) {
  TRY(value.ExpectObject());
  Linux part;
  part.namespaces = TRY(ReadNamespaces(value["namespaces"]));
  part.uid_mappings = TRY(ReadIdMappings(value["uidMappings"]));
  part.gid_mappings = TRY(ReadIdMappings(value["gidMappings"]));
  part.time_offsets = TRY(ReadTimeOffsets(value["timeOffsets"]));
  part.devices = TRY(ListOf(value["devices"], ReadDevice));
  part.cgroups_path = TRY(OptionalString(value["cgroupsPath"]));
  if (Value resources = value["resources"]) part.resources = TRY(ReadResources(resources));
  part.sysctl = TRY(StringMap(value["sysctl"]));
  part.seccomp = TRY(ReadSeccomp(value["seccomp"]));
  TRY(ReadRootfsPropagation(value["rootfsPropagation"], part));
  part.masked_paths = TRY(AbsolutePaths(value["maskedPaths"]));
  part.readonly_paths = TRY(AbsolutePaths(value["readonlyPaths"]));
  part.mount_label = TRY(OptionalString(value["mountLabel"]));
  if (Value rdt = value["intelRdt"]) part.intel_rdt = TRY(ReadIntelRdt(rdt));
  if (Value personality = value["personality"])
    part.personality = TRY(ReadPersonality(personality));
  if (Value policy = value["memoryPolicy"]) part.memory_policy = TRY(ReadMemoryPolicy(policy));
  part.net_devices = TRY(ReadNetDevices(value["netDevices"]));
  return part;
}

}  // namespace kiste::oci
