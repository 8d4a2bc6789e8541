// SPDX-License-Identifier: Apache-2.0
//
// Mounts by descriptor (open_tree, fsopen, fsmount, move_mount, mount_setattr; Linux 5.12): what is
// mounted is prepared detached, with all its attributes, and moved onto a descriptor that was
// resolved inside the container's root. No path is resolved twice.
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/stat.h>

#include "isolation/namespaces/launcher/launcher.h"

namespace kiste::isolation::launcher {

namespace {

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
  long fd = OpenInRoot(l, path, create, (op.flags & kNoSymlinks) != 0);
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

// Reads the kernel's own words about a failed fsconfig(2) into the report.
void ExplainFromContext(Launcher& l, int context, const char* about) {
  static char message[160];
  long length = Call<__NR_read>(context, message, sizeof message - 1);
  if (length <= 0) {
    if (about[0] != 0) l.Explain("option ", about);
    return;
  }
  message[length] = 0;
  for (long i = 0; i < length; ++i) {
    if (message[i] == '\n') message[i] = 0;
  }
  l.Explain(length > 2 ? message + 2 : message);
}

long ConfigureOption(int context, char* option) {
  char* value = option;
  while (*value != 0 && *value != '=') ++value;
  if (*value == 0) return Call<__NR_fsconfig>(context, FSCONFIG_SET_FLAG, option, 0, 0);
  *value = 0;
  long error = Call<__NR_fsconfig>(context, FSCONFIG_SET_STRING, option, value + 1, 0);
  *value = '=';
  return error;
}

// Hands `options` (comma separated; cut in place) to the file system one by one.
long ConfigureOptions(Launcher& l, int context, char* options) {
  while (*options != 0) {
    char* end = options;
    while (*end != 0 && *end != ',') ++end;
    char separator = *end;
    *end = 0;
    long error = options[0] == 0 ? 0 : ConfigureOption(context, options);
    if (error < 0) {
      ExplainFromContext(l, context, options);
      return error;
    }
    options = separator == 0 ? end : end + 1;
  }
  return 0;
}

struct SuperFlag {
  __u32 flag;
  const char* on;
  const char* off;
};
constexpr SuperFlag kSuperFlags[] = {
    {MS_SYNCHRONOUS, "sync", "async"},   {MS_DIRSYNC, "dirsync", nullptr},
    {MS_MANDLOCK, "mand", "nomand"},     {MS_LAZYTIME, "lazytime", "nolazytime"},
    {MS_I_VERSION, "iversion", nullptr}, {MS_SILENT, "silent", nullptr},
};

// "mand", "silent" and "iversion" are refused by newer kernels or some file systems as flags of a
// context, while mount(2) takes them silently: the refusal (EINVAL) means just that here too.
long ConfigureSuperFlags(int context, const MountBlock& block) {
  for (const auto& entry : kSuperFlags) {
    const char* name = nullptr;
    if ((block.super_flags & entry.flag) != 0) name = entry.on;
    if ((block.super_flags_clear & entry.flag) != 0) name = entry.off;
    if (name == nullptr) continue;
    long error = Call<__NR_fsconfig>(context, FSCONFIG_SET_FLAG, name, 0, 0);
    if (error < 0 && error != -EINVAL) return error;
  }
  return 0;
}

bool HasOption(const char* options, const char* prefix) {
  for (const char* at = options; *at != 0; ++at) {
    if ((at == options || at[-1] == ',') && StartsWith(at, prefix)) return true;
  }
  return false;
}

// A tmpfs over a directory that exists has that directory's mode, unless it is given one (as in
// runc: /tmp stays as the image has it). False when this is not the case.
bool ModeBelow(const Launcher& l, const MountBlock& block, FileKind& below) {
  if (!Equal(l.Text(block.type), "tmpfs") || HasOption(l.Text(block.options), "mode="))
    return false;
  Handle existing(OpenInRoot(l, l.Text(block.destination), Create::kNothing));
  return !existing.bad() && Examine(existing.get(), below) == 0;
}

long ConfigureMode(int context, const FileKind& like) {
  char text[8];
  unsigned shift = 12;
  char* to = text;
  while (shift > 0) {
    shift -= 3;
    *to++ = static_cast<char>('0' + (like.mode >> shift & 7));
  }
  *to = 0;
  return Call<__NR_fsconfig>(context, FSCONFIG_SET_STRING, "mode", text, 0);
}

// A detached mount of a new (or shared) super block; -errno. `like`: whose mode it gets, or null.
long MakeFileSystem(Launcher& l, const MountBlock& block, const FileKind* like) {
  Handle context(Call<__NR_fsopen>(l.Text(block.type), FSOPEN_CLOEXEC));
  if (context.bad()) {
    if (context.error() == -ENODEV) l.Explain("the kernel has no file system ", l.Text(block.type));
    return context.error();
  }
  long error = 0;
  if (block.source != 0) {
    error =
        Call<__NR_fsconfig>(context.get(), FSCONFIG_SET_STRING, "source", l.Text(block.source), 0);
  }
  if (error == 0) error = ConfigureSuperFlags(context.get(), block);
  if (error == 0 && like != nullptr) error = ConfigureMode(context.get(), *like);
  if (error == 0 && block.options != 0) {
    error = ConfigureOptions(l, context.get(), l.base + block.options);
    if (error < 0) return error;
  }
  if (error == 0)
    error = Call<__NR_fsconfig>(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  if (error < 0) {
    ExplainFromContext(l, context.get(), "");
    return error;
  }
  return Call<__NR_fsmount>(context.get(), FSMOUNT_CLOEXEC, block.attr_set);
}

// tmpcopyup: the new file system starts with what the directory below it holds.
long CopyUp(const Launcher& l, const MountBlock& block, int tree) {
  Handle below(OpenInRoot(l, l.Text(block.destination), Create::kNothing));
  if (below.bad()) return below.error();
  constexpr int kRead = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  Handle from(Call<__NR_openat>(below.get(), ".", kRead));
  Handle to(Call<__NR_openat>(tree, ".", kRead));
  if (from.bad() || to.bad()) return from.bad() ? from.error() : to.error();
  return CopyTree(from.get(), to.get());
}

// Where the kernel refuses the file system itself (sysfs in a user namespace without a network
// namespace, cgroup2 without a cgroup namespace), the host's own is bound there, read-only.
long BindFallback(const Launcher& l, const MountBlock& block) {
  Handle tree(OpenTree(AT_FDCWD, l.Text(block.fallback), OPEN_TREE_CLONE | AT_RECURSIVE));
  if (tree.bad()) return tree.error();
  long error = SetAttributes(tree.get(), block.attr_set & ~static_cast<__u64>(MOUNT_ATTR__ATIME), 0,
                             0, true);
  return error < 0 ? error : tree.Release();
}

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

long Bind(Launcher& l, const Operation& op) {
  const auto& block = *l.Data<MountBlock>(op.data);
  unsigned clone = OPEN_TREE_CLONE | ((op.flags & kRecursive) != 0 ? AT_RECURSIVE : 0u);
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
  if (error == 0) error = MoveMount(tree.get(), destination.get());
  return error < 0 ? error : SetPropagation(tree.get(), block);
}

long FileSystem(Launcher& l, const Operation& op) {
  const auto& block = *l.Data<MountBlock>(op.data);
  bool proc = Equal(l.Text(block.type), "proc");
  FileKind below;
  bool known = ModeBelow(l, block, below);
  Handle destination(OpenDestination(l, op, block, Create::kDirectory));
  if (destination.bad()) return destination.error();
  long error = CheckOverProc(l, op, destination.get(), proc);
  if (error < 0) return error;
  Handle mount(MakeFileSystem(l, block, known ? &below : nullptr));
  if ((mount.error() == -EPERM || mount.error() == -EBUSY) && block.fallback != 0) {
    mount.Replace(BindFallback(l, block));
  }
  if (mount.bad()) return mount.error();
  if ((op.flags & kCopyUp) != 0) error = CopyUp(l, block, mount.get());
  if (error == 0) error = SetRecursiveAttributes(mount.get(), block);
  if (error == 0) error = MoveMount(mount.get(), destination.get());
  return error < 0 ? error : SetPropagation(mount.get(), block);
}

long Remount(Launcher& l, const Operation& op) {
  const auto& block = *l.Data<MountBlock>(op.data);
  Handle destination(OpenDestination(l, op, block, Create::kNothing));
  if (destination.bad()) return destination.error();
  long error = SetAttributes(destination.get(), block.attr_set, block.attr_clear, 0, false);
  if (error == 0) error = SetRecursiveAttributes(destination.get(), block);
  if (error == 0) error = SetPropagation(destination.get(), block);
  bool super = block.super_flags != 0 || block.super_flags_clear != 0 || block.options != 0;
  if (error < 0 || !super || (op.flags & kRecursive) != 0) return error;
  Handle context(Call<__NR_fspick>(destination.get(), "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC));
  if (context.bad()) return context.error();
  error = ConfigureSuperFlags(context.get(), block);
  if (error == 0 && block.options != 0) {
    error = ConfigureOptions(l, context.get(), l.base + block.options);
  }
  if (error < 0) return error;
  error = Call<__NR_fsconfig>(context.get(), FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0);
  if (error < 0) ExplainFromContext(l, context.get(), "");
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
