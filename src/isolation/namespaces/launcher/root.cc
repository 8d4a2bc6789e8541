// SPDX-License-Identifier: Apache-2.0
//
// The container's root: put in its place first, switched to at the end.
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/stat.h>

#include "isolation/namespaces/launcher/launcher.h"

namespace kiste::isolation::launcher {

namespace {

// pivot_root(2) refuses a shared parent mount: the one that `path` lies in becomes private, in this
// mount namespace only.
long MakeParentPrivate(const char* path) {
  static char prefix[kPathMax];
  AppendText(prefix, prefix + sizeof prefix, path);
  unsigned length = Length(prefix);
  while (true) {
    long error =
        Call<__NR_mount>(nullptr, length == 0 ? "/" : prefix, nullptr, MS_PRIVATE, nullptr);
    if (error != -EINVAL || length == 0) return error;  // EINVAL: not a mount point
    while (length > 0 && prefix[length - 1] != '/') --length;
    while (length > 0 && prefix[length - 1] == '/') --length;
    prefix[length] = 0;
  }
}

}  // namespace

long Propagation(Launcher& l, const Operation& op) {
  long error = Call<__NR_mount>(nullptr, "/", nullptr, op.a, nullptr);
  if (error < 0) l.Explain("/");
  return error;
}

// Clones the root file system's mounts and puts the clone in place of the path, where hooks look
// for it; all else here is done relative to its descriptor. A path that this user namespace's root
// may not walk is no obstacle when the runtime has made the clone: then it lies over "/", which is
// still the old root for this process until Pivot.
long Root(Launcher& l, const Operation& op) {
  const char* path = l.Text(op.text);
  Handle at(Call<__NR_openat>(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (at.bad() && op.fd >= 0) path = "/";
  if (at.bad() && op.fd >= 0)
    at.Replace(Call<__NR_openat>(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (at.bad()) return at.error();
  if ((op.flags & kRecursive) == 0) {  // no mount namespace: the directory as it is
    l.root = at.Release();
    return 0;
  }
  Handle tree(op.fd >= 0 ? op.fd
                         : OpenTree(at.get(), "", OPEN_TREE_CLONE | AT_RECURSIVE | AT_EMPTY_PATH));
  if (tree.bad()) return tree.error();
  long error = op.a == 0 ? 0 : MakeParentPrivate(path);
  if (error == 0) error = SetAttributes(tree.get(), 0, 0, MS_SLAVE, true);
  if (error == 0) error = MoveMount(tree.get(), at.get());
  if (error < 0) return error;
  l.root = tree.Release();
  return 0;
}

// Without pivot_root(2) the host's mounts stay in the namespace, below the new root. A proc or
// sysfs among them that nothing covers would allow a container to mount another one without its
// masks (mount_too_revealing() in the kernel's fs/namespace.c).
long HideMount(Launcher& l, const Operation& op) {
  constexpr int kDetachNoFollow = 2 | 8;  // MNT_DETACH | UMOUNT_NOFOLLOW
  const char* path = l.Text(op.text);
  if (Call<__NR_umount2>(path, kDetachNoFollow) == 0) return 0;
  // Locked, where another user namespace made it.
  long error = Call<__NR_mount>("tmpfs", path, "tmpfs",
                                MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  if (error == -ENOENT) return 0;  // gone with another one
  if (error < 0) l.Explain(path);
  return error;
}

long Pivot(Launcher& l, const Operation& op) {
  long error = Call<__NR_fchdir>(l.root);
  if (error < 0) return error;
  if ((op.flags & kNoPivot) != 0) {
    error = Call<__NR_move_mount>(l.root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
    if (error == 0) error = Call<__NR_chroot>(".");
    return error < 0 ? error : Call<__NR_chdir>("/");
  }
  // Where the host's mounts are shared with ours, taking them away here must not reach the host.
  Handle old_root(op.a == 0 ? -1
                            : Call<__NR_openat>(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  // pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one, and "." is
  // the old root until it is unmounted.
  error = Call<__NR_pivot_root>(".", ".");
  if (error == 0 && op.a != 0) error = SetAttributes(old_root.get(), 0, 0, MS_SLAVE, true);
  if (error < 0) return error;
  error = Call<__NR_umount2>(".", 2 /* MNT_DETACH */);
  return error < 0 ? error : Call<__NR_chdir>("/");
}

long Chroot(Launcher& l, const Operation& op) {
  int directory = op.fd >= 0 ? op.fd : l.root;
  long error = Call<__NR_fchdir>(directory);
  if (error == 0) error = Call<__NR_chroot>(".");
  return error < 0 ? error : Call<__NR_chdir>("/");
}

long RootAttributes(Launcher& l, const Operation& op) {
  long error = SetAttributes(l.root, op.a, 0, 0, false);
  if (error < 0 || op.b == 0) return error;
  return SetAttributes(l.root, 0, 0, op.b & ~static_cast<__u64>(MS_REC), (op.b & MS_REC) != 0);
}

}  // namespace kiste::isolation::launcher
