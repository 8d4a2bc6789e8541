// SPDX-License-Identifier: Apache-2.0
//
// Device nodes and the links in /dev. A name that is already there stays as it is, with its owner
// and mode, as in runc: it is the image's, or the host's own device, bound. Where the configuration
// lists the device it must be that, or lead to it; else it may be a file, or a link, which does not
// lead out of the image. Nothing that is done for the container's sake relies on it (masks.cc,
// console.cc).
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

const char* TypeWords(__u32 type) {
  switch (type) {
    case S_IFREG:
      return "a regular file";
    case S_IFDIR:
      return "a directory";
    case S_IFIFO:
      return "a FIFO";
    case S_IFCHR:
      return "character device ";
    case S_IFBLK:
      return "block device ";
    default:
      return "a socket";
  }
}

// Whether `there`, to which a device's path leads, is what the operation wants there; else -EEXIST.
// A device is bound on an empty file: one that an earlier container has left is as good as a new.
long CheckDevice(Launcher& l, const Operation& op, int there) {
  FileKind kind;
  long error = Examine(there, kind);
  if (error < 0) return error;
  const __u32 type = kind.mode & S_IFMT;
  bool empty_file = type == S_IFREG && kind.size == 0;
  bool same = type == (op.a & S_IFMT) && DeviceNumber(kind.device_major, kind.device_minor) == op.b;
  if (same || (op.op == Op::kBindDevice && empty_file)) return 0;
  char found[64];
  const char* end = found + sizeof found;
  char* to = AppendText(AppendText(found, end, ", found "), end, TypeWords(type));
  if (type == S_IFCHR || type == S_IFBLK) {
    to = AppendText(AppendNumber(to, end, kind.device_major), end, ":");
    AppendNumber(to, end, kind.device_minor);
  }
  l.Explain("expected ", l.Text(op.text2), found);
  return -EEXIST;
}

// The same for a name that mknodat(2) has found taken. A link counts as what it leads to.
long CheckTaken(Launcher& l, const Operation& op) {
  if (op.text2 == 0) return 0;
  Handle there(OpenInRoot(l, l.Text(op.text), Create::kNothing));
  if (!there.bad()) return CheckDevice(l, op, there.get());
  l.Explain("expected ", l.Text(op.text2), ", found a symbolic link that leads nowhere");
  return -EEXIST;
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
  if (error == -EEXIST) return CheckTaken(l, op);
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
  long error = op.text2 == 0 ? 0 : CheckDevice(l, op, target.get());
  if (error < 0) return error;
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
