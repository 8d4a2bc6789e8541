// SPDX-License-Identifier: Apache-2.0
//
// Device nodes and the links in /dev. A name that is already there stays as it is, as in runc, be
// it a file or a link where a device should be: it is the image's, and no link leads out of it.
// Nothing that is done for the container's sake relies on it (masks.cc, console.cc).
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/stat.h>

#include "isolation/namespaces/launcher/launcher.h"

namespace kiste::isolation::launcher {

namespace {

// The directory of `path`, and the name in it. Those that follow each other mostly share it: it is
// resolved once, as nothing is mounted or renamed in between by us.
long ParentOf(Launcher& l, const char* path, const char** name) {
  static char directory[kPathMax];  // of l.parent
  unsigned length = Length(path);
  while (length > 0 && path[length - 1] != '/') --length;
  bool known = l.parent >= 0 && path[length] != 0 && Length(directory) == length &&
               StartsWith(path, directory);
  if (known) {
    *name = path + length;
    return l.parent;
  }
  ForgetParent(l);
  long parent = OpenParentInRoot(l, path, name);
  if (parent < 0) return parent;
  Copy(directory, path, length);
  directory[length] = 0;
  l.parent = static_cast<int>(parent);
  return parent;
}

}  // namespace

void ForgetParent(Launcher& l) {
  if (l.parent >= 0) Call<__NR_close>(l.parent);
  l.parent = -1;
}

long Mknod(Launcher& l, const Operation& op) {
  const char* path = l.Text(op.text);
  const auto* owner = l.Data<__u32>(op.data);
  const char* name = nullptr;
  long parent = ParentOf(l, path, &name);
  if (parent < 0) return parent;
  long error = Call<__NR_mknodat>(parent, name, op.a, op.b);
  if (error == -EEXIST) return 0;
  if (error < 0) return error;
  if (owner[0] == 0 && owner[1] == 0) return 0;  // ours already; the umask is 0
  return Call<__NR_fchownat>(parent, name, owner[0], owner[1], AT_SYMLINK_NOFOLLOW);
}

long BindDevice(Launcher& l, const Operation& op) {
  const char* path = l.Text(op.text);
  Handle tree(Call<__NR_open_tree>(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (tree.bad()) {
    l.Explain("the host's ", path);
    return tree.error();
  }
  Handle target(OpenInRoot(l, path, Create::kFile, /*no_symlinks=*/false));
  if (target.bad()) return target.error();
  return Call<__NR_move_mount>(tree.get(), "", target.get(), "",
                               MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

namespace {

long CheckSameLink(Launcher& l, long parent, const char* name, const char* target) {
  static char there[kPathMax];
  long length = Call<__NR_readlinkat>(parent, name, there, sizeof there - 1);
  if (length >= 0) there[length] = 0;
  if (length >= 0 && Equal(there, target)) return 0;
  l.Explain("there is something else than a link to ", target);
  return -EEXIST;
}

}  // namespace

long MakeSymlink(Launcher& l, const Operation& op) {
  const char* target = l.Text(op.text);
  const char* name = nullptr;
  long parent = ParentOf(l, l.Text(op.text2), &name);
  if (parent < 0) return parent;
  long error = Call<__NR_symlinkat>(target, parent, name);
  if (error != -EEXIST) return error;
  if ((op.flags & kSameLink) != 0) return CheckSameLink(l, parent, name, target);
  if (!Equal(target, "pts/ptmx")) return 0;
  // A ptmx of the image's own would open the host's terminals: the link replaces it.
  error = Call<__NR_unlinkat>(parent, name, 0);
  return error < 0 ? error : Call<__NR_symlinkat>(target, parent, name);
}

}  // namespace kiste::isolation::launcher
