// SPDX-License-Identifier: Apache-2.0
//
// Mounts by descriptor (open_tree, move_mount, mount_setattr; Linux 5.12): what is mounted is
// prepared detached, with all its attributes, and moved onto a descriptor that was resolved inside
// the container's root. No path is resolved twice.
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/stat.h>

#include "isolation/namespaces/launcher/launcher.h"

namespace kiste::isolation::launcher {

long OpenTree(int directory, const char* path, unsigned flags) {
  return Call<__NR_open_tree>(directory, path, flags | OPEN_TREE_CLOEXEC);
}

long MoveMount(int tree, int onto) {
  return Call<__NR_move_mount>(tree, "", onto, "",
                               MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

long SetAttributes(int mount, __u64 set, __u64 clear, __u64 propagation, bool recursive) {
  if (set == 0 && clear == 0 && propagation == 0) return 0;
  // The access-time bits are one enumeration: setting one clears the others (mount_setattr(2)).
  if ((set & MOUNT_ATTR__ATIME) != 0) clear |= MOUNT_ATTR__ATIME;
  if ((clear & MOUNT_ATTR__ATIME) != 0) clear |= MOUNT_ATTR__ATIME;
  mount_attr attributes{};
  attributes.attr_set = set;
  attributes.attr_clr = clear;
  attributes.propagation = propagation;
  return Call<__NR_mount_setattr>(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0u),
                                  &attributes, sizeof attributes);
}

long SetRecursiveAttributes(int mount, const MountBlock& block) {
  return SetAttributes(mount, block.rec_attr_set, block.rec_attr_clear, 0, true);
}

// Once the mount is in its place: a propagation that is set before is not kept by all kernels.
long SetPropagation(int mount, const MountBlock& block) {
  long error = 0;
  for (unsigned i = 0; error == 0 && i < block.propagation_count; ++i) {
    __u32 flags = block.propagation[i];
    error = SetAttributes(mount, 0, 0, flags & ~static_cast<__u32>(MS_REC), (flags & MS_REC) != 0);
  }
  return error;
}

// The destination of `block`, made as a directory or file when missing.
long OpenDestination(Launcher& l, const Operation& op, const MountBlock& block, Create create) {
  const char* path = l.Text(block.destination);
  long fd = (op.flags & kDestinationNoFollow) != 0
                ? OpenLinkInRoot(l, path)
                : OpenInRoot(l, path, create, (op.flags & kNoSymlinks) != 0);
  if (fd < 0) l.Explain("destination ", path);
  return fd;
}

// Nothing but procfs may cover a part of procfs, apart from what the runtime knows to be harmless:
// it could feign the files that the kernel's interfaces are (CVE-2019-16884).
long CheckOverProc(Launcher& l, const Operation& op, int destination, bool source_is_proc) {
  if ((op.flags & kOverProcAllowed) != 0 || source_is_proc) return 0;
  if ((op.flags & kInsideProc) == 0 && FileSystemType(destination) != PROC_SUPER_MAGIC) return 0;
  l.Explain("the destination is inside /proc");
  return -EPERM;
}

namespace {

// move_mount(2) says EINVAL where mount(2) says ENOTDIR, by which dockerd knows what its user got
// wrong.
long CheckSameKind(Launcher& l, bool source_is_directory, int destination) {
  FileKind kind;
  long error = Examine(destination, kind);
  if (error < 0) return error;
  if (((kind.mode & S_IFMT) == S_IFDIR) == source_is_directory) return 0;
  l.Explain(source_is_directory ? "a directory on a file" : "a file on a directory");
  return -ENOTDIR;
}

}  // namespace

long Bind(Launcher& l, const Operation& op) {
  const auto& block = *l.Data<MountBlock>(op.data);
  unsigned clone = OPEN_TREE_CLONE | ((op.flags & kRecursive) != 0 ? AT_RECURSIVE : 0u) |
                   ((op.flags & kSourceNoFollow) != 0 ? AT_SYMLINK_NOFOLLOW : 0u);
  Handle tree(op.fd >= 0 ? op.fd : OpenTree(AT_FDCWD, l.Text(block.source), clone));
  if (tree.bad()) {
    l.Explain("source ", l.Text(block.source));
    return tree.error();
  }
  FileKind kind;
  long error = Examine(tree.get(), kind);
  if (error < 0) return error;
  bool directory = (kind.mode & S_IFMT) == S_IFDIR;
  Handle destination(OpenDestination(l, op, block, directory ? Create::kDirectory : Create::kFile));
  if (destination.bad()) return destination.error();
  bool source_is_proc = FileSystemType(tree.get()) == PROC_SUPER_MAGIC;
  error = CheckOverProc(l, op, destination.get(), source_is_proc);
  if (error < 0) return error;
  error = SetAttributes(tree.get(), block.attr_set, block.attr_clear, 0, false);
  if (error == 0) error = SetRecursiveAttributes(tree.get(), block);
  if (error == 0) error = CheckSameKind(l, directory, destination.get());
  if (error == 0) error = MoveMount(tree.get(), destination.get());
  int mount = tree.get();
  if (error == 0) error = KeepForUndo(l, op, tree);
  return error < 0 ? error : SetPropagation(mount, block);
}

}  // namespace kiste::isolation::launcher
