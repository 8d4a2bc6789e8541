// SPDX-License-Identifier: Apache-2.0
#include "sys/mount.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/strings.h"

namespace kiste::sys {

Result<Fd> CloneTree(const std::string& path, Depth depth, Follow follow) {
  unsigned recursive = depth == Depth::kRecursive ? unsigned{AT_RECURSIVE} : 0u;
  unsigned link = follow == Follow::kNo ? unsigned{AT_SYMLINK_NOFOLLOW} : 0u;
  long fd = syscall(SYS_open_tree, AT_FDCWD, path.c_str(),
                    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive | link);
  if (fd < 0) return ErrnoError(StrCat("open_tree ", path));
  Fd tree(static_cast<int>(fd));
  mount_attr attributes{};
  attributes.propagation = MS_SLAVE;
  if (syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH | recursive, &attributes,
              sizeof attributes) < 0) {
    return ErrnoError(StrCat("mount_setattr ", path));
  }
  return tree;
}

Status MapIds(int tree, int user_namespace, Depth depth) {
  unsigned recursive = depth == Depth::kRecursive ? unsigned{AT_RECURSIVE} : 0u;
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_IDMAP;
  attributes.userns_fd = static_cast<uint64_t>(user_namespace);
  if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | recursive, &attributes,
              sizeof attributes) < 0) {
    return ErrnoError("mount_setattr MOUNT_ATTR_IDMAP");
  }
  return {};
}

Status DetachMount(int fd, const std::string& name) {
  if (umount2(StrCat("/proc/self/fd/", fd).c_str(), MNT_DETACH) < 0) {
    return ErrnoError(StrCat("umount ", name));
  }
  return {};
}

Status Mount(const std::string& type, const std::string& target, unsigned long flags,
             const std::string& data) {
  if (mount(type.c_str(), target.c_str(), type.c_str(), flags, data.c_str()) == 0) return {};
  return ErrnoError(StrCat("mount ", type, " on ", target));
}

Status BindMount(const std::string& source, const std::string& target) {
  if (mount(source.c_str(), target.c_str(), nullptr, MS_BIND, nullptr) == 0) return {};
  return ErrnoError(StrCat("mount ", source, " on ", target));
}

Status Unmount(const std::string& target) {
  if (umount2(target.c_str(), MNT_DETACH) == 0) return {};
  return ErrnoError(StrCat("umount ", target));
}

Status MakeMountsPrivate() {
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0) return {};
  return ErrnoError("mount private on /");
}

}  // namespace kiste::sys
