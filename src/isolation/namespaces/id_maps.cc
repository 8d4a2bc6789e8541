// SPDX-License-Identifier: Apache-2.0
#include "isolation/namespaces/id_maps.h"

#include <spawn.h>
#include <unistd.h>

#include "base/strings.h"
#include "sys/file.h"
#include "sys/memfd.h"
#include "sys/pidfd.h"

namespace kiste::isolation {

namespace {

constexpr int kKillMs = 1000;

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
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  Fd output = TRY(sys::MemoryFile("output", {}));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output.get(), 2);
  pid_t child = -1;
  int error = posix_spawnp(&child, helper, &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    return SystemError(error, StrCat("execve ", helper, " (Debian's package uidmap)"));
  Fd pidfd = TRY(sys::PidfdOpen(child));
  if (!TRY(sys::PidfdWaitExit(pidfd.get(), static_cast<int>(kPatience.count())))) {
    sys::KillChild(pidfd.get(), child, kKillMs);
    return Fail(ErrorKind::kTimeout, StrCat(field, ": ", helper, " does not end"));
  }
  int code = TRY(sys::WaitChild(child));
  if (code == 0) return {};
  char said[512];
  ssize_t size = pread(output.get(), said, sizeof said, 0);
  return Fail(ErrorKind::kSystem,
              StrCat(field, ": ", Join(words, " "), ": ",
                     Quote(Trim({said, size > 0 ? static_cast<size_t>(size) : 0})),
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
