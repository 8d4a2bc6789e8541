// SPDX-License-Identifier: Apache-2.0
//
// New file systems and remounts (fsopen, fsconfig, fsmount, fspick), with the kernel's own words
// when it refuses.
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/stat.h>

#include "isolation/namespaces/launcher/launcher.h"

namespace kiste::isolation::launcher {

namespace {

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

// An SELinux label has commas and stands in quotes, which mount(2) takes off.
void TakeQuotesOff(char* value) {
  if (*value != '"') return;
  char* to = value;
  for (const char* from = value + 1; *from != 0 && *from != '"'; ++from) *to++ = *from;
  *to = 0;
}

bool IsContext(const char* name) {
  return Equal(name, "context") || Equal(name, "fscontext") || Equal(name, "defcontext") ||
         Equal(name, "rootcontext");
}

long ConfigureOption(int context, char* option) {
  char* value = option;
  while (*value != 0 && *value != '=') ++value;
  if (*value == 0) return Call<__NR_fsconfig>(context, FSCONFIG_SET_FLAG, option, 0, 0);
  *value = 0;
  if (IsContext(option)) TakeQuotesOff(value + 1);
  long error = Call<__NR_fsconfig>(context, FSCONFIG_SET_STRING, option, value + 1, 0);
  *value = '=';
  return error;
}

// Hands `options` (comma separated; cut in place) to the file system one by one.
long ConfigureOptions(Launcher& l, int context, char* options) {
  while (*options != 0) {
    char* end = options;
    for (bool quoted = false; *end != 0 && (quoted || *end != ','); ++end)
      quoted = quoted != (*end == '"');
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

// For a file system that takes no context=: on the root of what was mounted.
long LabelRoot(const char* label, int tree) {
  Handle root(Call<__NR_openat>(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (root.bad()) return root.error();
  return Call<__NR_fsetxattr>(root.get(), "security.selinux", label, Length(label) + 1, 0);
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

// The file system's own options of a remount.
long ReconfigureSuper(Launcher& l, const MountBlock& block, int mount) {
  Handle context(Call<__NR_fspick>(mount, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC));
  if (context.bad()) return context.error();
  long error = ConfigureSuperFlags(context.get(), block);
  if (error == 0 && block.options != 0) {
    error = ConfigureOptions(l, context.get(), l.base + block.options);
  }
  if (error < 0) return error;
  error = Call<__NR_fsconfig>(context.get(), FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0);
  if (error < 0) ExplainFromContext(l, context.get(), "");
  return error;
}

// The mount itself, for a later one may lie over its destination by then.
void KeepForSeal(Launcher& l, const Operation& op, MountBlock& block, Handle& mount) {
  if ((op.flags & kSealLater) == 0) return;
  block.mount = mount.Release();
  block.sealed_before = l.sealed_last;
  l.sealed_last = op.data;
}

}  // namespace

long FileSystem(Launcher& l, const Operation& op) {
  auto& block = *l.Data<MountBlock>(op.data);
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
  if (error == 0 && op.text != 0) error = LabelRoot(l.Text(op.text), mount.get());
  if (error == 0) error = SetRecursiveAttributes(mount.get(), block);
  if (error == 0) error = MoveMount(mount.get(), destination.get());
  int made = mount.get();
  if (error == 0) error = KeepForUndo(l, op, mount);
  if (error < 0) return error;
  KeepForSeal(l, op, block, mount);
  return SetPropagation(made, block);
}

long Remount(Launcher& l, const Operation& op) {
  auto& block = *l.Data<MountBlock>(op.data);
  Handle destination(OpenDestination(l, op, block, Create::kNothing));
  if (destination.bad()) return destination.error();
  long error = SetAttributes(destination.get(), block.attr_set, block.attr_clear, 0, false);
  if (error == 0) error = SetRecursiveAttributes(destination.get(), block);
  if (error == 0) error = SetPropagation(destination.get(), block);
  bool super = block.super_flags != 0 || block.super_flags_clear != 0 || block.options != 0;
  if (error == 0 && super && (op.flags & kRecursive) == 0)
    error = ReconfigureSuper(l, block, destination.get());
  if (error == 0) KeepForSeal(l, op, block, destination);
  return error;
}

long Seal(Launcher& l) {
  while (l.sealed_last != 0) {
    const auto& block = *l.Data<MountBlock>(l.sealed_last);
    Handle mount(block.mount);
    l.sealed_last = block.sealed_before;
    long error = SetAttributes(mount.get(), MOUNT_ATTR_RDONLY, 0, 0, false);
    if (error < 0) {
      l.Explain(l.Text(block.destination));
      return error;
    }
  }
  return 0;
}

}  // namespace kiste::isolation::launcher
