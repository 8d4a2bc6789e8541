// SPDX-License-Identifier: Apache-2.0
//
// maskedPaths and readonlyPaths. What covers a file is the host's /dev/null, checked to be that
// device (CVE-2025-31133: the container's own could be a link to anything); what covers directories
// is one empty read-only tmpfs, cloned for each.
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/stat.h>

#include "isolation/namespaces/launcher/launcher.h"

namespace kiste::isolation::launcher {

namespace {

constexpr unsigned kCloneHere = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;

long OpenNull() {
  Handle null(Call<__NR_openat>(AT_FDCWD, "/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (null.bad()) return null.error();
  FileKind kind;
  long error = Examine(null.get(), kind);
  if (error < 0) return error;
  bool is_null =
      (kind.mode & S_IFMT) == S_IFCHR && kind.device_major == 1 && kind.device_minor == 3;
  return is_null ? null.Release() : -ENODEV;
}

long MakeEmptyTmpfs(const char* label) {
  Handle context(Call<__NR_fsopen>("tmpfs", FSOPEN_CLOEXEC));
  if (context.bad()) return context.error();
  Call<__NR_fsconfig>(context.get(), FSCONFIG_SET_STRING, "mode", "0755", 0);
  Call<__NR_fsconfig>(context.get(), FSCONFIG_SET_STRING, "nr_inodes", "1", 0);
  if (label[0] != 0) Call<__NR_fsconfig>(context.get(), FSCONFIG_SET_STRING, "context", label, 0);
  long error = Call<__NR_fsconfig>(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  if (error < 0) return error;
  return Call<__NR_fsmount>(
      context.get(), FSMOUNT_CLOEXEC,
      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

long Cover(int with, int what) {
  Handle tree(Call<__NR_open_tree>(with, "", kCloneHere));
  if (tree.bad()) return tree.error();
  return Call<__NR_move_mount>(tree.get(), "", what, "",
                               MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

// The first directory gets the file system itself, the others clones of it: one that was never
// attached would be taken apart at execve, and that waits for an RCU grace period.
long CoverDirectory(Launcher& l, int directory, const char* label) {
  if (l.mask >= 0) return Cover(l.mask, directory);
  l.mask = static_cast<int>(MakeEmptyTmpfs(label));
  return l.mask < 0 ? l.mask : MoveMount(l.mask, directory);
}

bool NothingThere(long error) { return error == -ENOENT || error == -ENOTDIR; }

}  // namespace

long Mask(Launcher& l, const Operation& op) {
  const auto* paths = l.Data<Offset>(op.data);
  Handle null(OpenNull());
  if (null.bad()) {
    l.Explain("the host's /dev/null");
    return null.error();
  }
  for (unsigned i = 0; i < op.data_count; ++i) {
    const char* path = l.Text(paths[i]);
    Handle target(OpenInRoot(l, path, Create::kNothing));
    if (NothingThere(target.error())) continue;
    FileKind kind;
    long error = target.bad() ? target.error() : Examine(target.get(), kind);
    if (error == 0 && (kind.mode & S_IFMT) == S_IFDIR) {
      error = CoverDirectory(l, target.get(), l.Text(op.text));
    } else if (error == 0) {
      error = Cover(null.get(), target.get());
    }
    if (error < 0) {
      l.Explain(path);
      return error;
    }
  }
  return 0;
}

long ReadonlyPath(Launcher& l, const Operation& op) {
  const char* path = l.Text(op.text);
  l.Explain(path);
  Handle target(OpenInRoot(l, path, Create::kNothing));
  if (NothingThere(target.error())) return 0;
  if (target.bad()) return target.error();
  Handle tree(Call<__NR_open_tree>(target.get(), "", kCloneHere | AT_RECURSIVE));
  if (tree.bad()) return tree.error();
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  long error = Call<__NR_mount_setattr>(tree.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes,
                                        sizeof attributes);
  if (error < 0) return error;
  return Call<__NR_move_mount>(tree.get(), "", target.get(), "",
                               MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

}  // namespace kiste::isolation::launcher
