// SPDX-License-Identifier: Apache-2.0
#include "sys/mount.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "base/strings.h"
#include "sys/file.h"

namespace kiste::sys {

namespace {

// mountinfo writes space, tab, newline and backslash as three octal digits.
std::string Unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    auto code = text[i] == '\\' ? ParseUint(text.substr(i + 1, 3), 8) : std::nullopt;
    plain += code ? static_cast<char>(*code) : text[i];
    if (code) i += 3;
  }
  return plain;
}

}  // namespace

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

Result<std::vector<std::string>> MountPointsOf(std::initializer_list<std::string_view> types) {
  auto table = TRY(ReadFileAt(AT_FDCWD, "/proc/self/mountinfo"));
  std::vector<std::string> points;
  for (auto line : Split(table, '\n')) {
    // id parent major:minor root destination options [optional…] - type source options
    auto fields = Split(line, ' ');
    auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() < 5 || fields.end() - dash < 2) continue;
    bool wanted = std::find(types.begin(), types.end(), dash[1]) != types.end();
    if (wanted) points.push_back(Unescape(fields[4]));
  }
  return points;
}

Result<uint64_t> MountIdOf(int fd, const std::string& name) {
  struct statx found{};
  if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &found) < 0) {
    return ErrnoError(StrCat("statx ", name));
  }
  return found.stx_mnt_id;
}

Status DetachMount(int fd, const std::string& name) {
  if (umount2(StrCat("/proc/self/fd/", fd).c_str(), MNT_DETACH) < 0) {
    return ErrnoError(StrCat("umount ", name));
  }
  return {};
}

}  // namespace kiste::sys
