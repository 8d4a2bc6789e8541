// SPDX-License-Identifier: Apache-2.0
#include "isolation/namespaces/id_maps.h"

#include "base/deadline.h"
#include "base/strings.h"
#include "sys/command.h"
#include "sys/file.h"

namespace kiste::isolation {

namespace {

Status WriteMap(pid_t pid, const char* file, const std::vector<oci::IdMapping>& mappings) {
  std::string lines;
  for (const auto& mapping : mappings) {
    lines += StrCat(mapping.container_id, " ", mapping.host_id, " ", mapping.size, "\n");
  }
  return sys::WriteExisting(StrCat("/proc/", pid, "/", file), lines);
}

Status RunHelper(const char* helper, const char* field, pid_t pid,
                 const std::vector<oci::IdMapping>& mappings) {
  std::vector<std::string> words = {helper, StrCat(pid)};
  for (const auto& mapping : mappings) {
    words.push_back(StrCat(mapping.container_id));
    words.push_back(StrCat(mapping.host_id));
    words.push_back(StrCat(mapping.size));
  }
  auto result = sys::RunCommand(words, kPatience);
  if (!result && result.error().kind == ErrorKind::kTimeout)
    return Context(std::move(result), field);
  if (!result) {
    Error error = std::move(result).error();
    error.operation += " (Debian's package uidmap)";
    return std::unexpected(std::move(error));
  }
  if (result->code == 0) return {};
  return Fail(ErrorKind::kSystem,
              StrCat(field, ": ", Join(words, " "), ": ", Quote(Trim(result->output)),
                     " (do /etc/subuid and /etc/subgid allow these ids?)"));
}

}  // namespace

Status WriteIdMaps(pid_t pid, const NamespacePlan& namespaces) {
  if (namespaces.use_newidmap) {
    TRY(RunHelper("newuidmap", "linux.uidMappings", pid, namespaces.uid_map));
    return RunHelper("newgidmap", "linux.gidMappings", pid, namespaces.gid_map);
  }
  if (namespaces.deny_setgroups) {
    TRY(sys::WriteExisting(StrCat("/proc/", pid, "/setgroups"), "deny"));
  }
  TRY_CONTEXT(WriteMap(pid, "uid_map", namespaces.uid_map), "linux.uidMappings");
  TRY_CONTEXT(WriteMap(pid, "gid_map", namespaces.gid_map), "linux.gidMappings");
  return {};
}

}  // namespace kiste::isolation
