// SPDX-License-Identifier: Apache-2.0
//
// Id-mapped mounts (config.md, "Mounts": uidMappings, gidMappings, idmap, ridmap). The mapping is
// given to a detached clone before anybody can reach it: the kernel takes no other.
#include <sched.h>

#include "base/strings.h"
#include "runtime/plan.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/user_namespace.h"

namespace kiste::runtime {

namespace {

std::string Lines(const std::vector<oci::IdMapping>& mappings) {
  std::string lines;
  for (const auto& mapping : mappings)
    lines += StrCat(mapping.container_id, " ", mapping.host_id, " ", mapping.size, "\n");
  return lines;
}

// The mount's own mappings, or else those of the container's user namespace.
Result<Fd> OpenMapping(const oci::Linux& linux, const oci::Mount& mount) {
  if (!mount.uid_mappings.empty())
    return sys::MakeUserNamespace(Lines(mount.uid_mappings), Lines(mount.gid_mappings));
  const auto* user = linux.Find(CLONE_NEWUSER);
  if (user == nullptr) return Invalid("there is no user namespace to take mappings from");
  if (!user->path.empty()) return sys::Open(user->path, O_RDONLY);
  return sys::MakeUserNamespace(Lines(linux.uid_mappings), Lines(linux.gid_mappings));
}

}  // namespace

Result<Fd> CloneIdMapped(const oci::Linux& linux, const oci::Mount& mount,
                         const std::string& field) {
  if (!mount.bind || mount.remount) {
    return Fail(ErrorKind::kUnsupported,
                StrCat(field, ": only bind mounts can be id-mapped, found type ", Quote(mount.type),
                       " on ", mount.destination));
  }
  auto tree_depth = mount.recursive_bind ? sys::Depth::kRecursive : sys::Depth::kThis;
  auto follow = mount.source_nofollow ? sys::Follow::kNo : sys::Follow::kYes;
  auto map_depth = mount.idmap_recursive ? sys::Depth::kRecursive : sys::Depth::kThis;
  Fd tree = TRY_CONTEXT(sys::CloneTree(mount.source, tree_depth, follow), StrCat(field, ".source"));
  Fd mapping = TRY_CONTEXT(OpenMapping(linux, mount), StrCat(field, ".uidMappings"));
  TRY_CONTEXT(sys::MapIds(tree.get(), mapping.get(), map_depth),
              StrCat(field, ": idmap of ", mount.source));
  return tree;
}

}  // namespace kiste::runtime
