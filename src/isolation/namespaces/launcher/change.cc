// SPDX-License-Identifier: Apache-2.0
//
// Changing the mounts of a container that runs, and whose processes may rename and link meanwhile:
// what is unmounted is a descriptor, through the link of it in the host's /proc.
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "isolation/namespaces/launcher/launcher.h"

namespace kiste::isolation::launcher {

namespace {

constexpr unsigned kDetach = 2;  // MNT_DETACH

long Keep(Launcher& l, int mount) {
  if (l.mount_count == kMostMounts) return -E2BIG;
  l.mounts[l.mount_count++] = mount;
  return 0;
}

// Whether the descriptor is where a mount begins (statx(2), since Linux 5.8).
long CheckMountRoot(Launcher& l, int fd) {
  struct statx status{};
  long error = Call<__NR_statx>(fd, "", AT_EMPTY_PATH, 0u, &status);
  if (error < 0) return error;
  if ((status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0) return 0;
  l.Explain("nothing is mounted there");
  return -EINVAL;
}

}  // namespace

long KeepForUndo(Launcher& l, const Operation& op, Handle& mount) {
  if ((op.flags & kUndo) == 0) return 0;
  long error = Keep(l, mount.get());
  if (error < 0) return error;
  static_cast<void>(mount.Release());
  l.undo_mounts = true;
  return 0;
}

// Without any link on the way: one that the container has put there would choose another mount,
// such as one that masks a path.
long FindMount(Launcher& l, const Operation& op) {
  Handle found(OpenInRoot(l, l.Text(op.text), Create::kNothing, /*no_symlinks=*/true));
  if (found.error() == -ELOOP) l.Explain("a component is a symbolic link");
  if (found.bad()) return found.error();
  long error = CheckMountRoot(l, found.get());
  if (error == 0) error = Keep(l, found.get());
  if (error == 0) static_cast<void>(found.Release());
  return error;
}

long Unmount(Launcher& l) {
  long error = Call<__NR_fchdir>(l.proc);
  if (error < 0) return error;
  while (l.mount_count > 0) {
    char path[40] = "self/fd/";
    AppendNumber(path + 8, path + sizeof path, static_cast<unsigned>(l.mounts[--l.mount_count]));
    long result = Call<__NR_umount2>(path, kDetach);
    if (error == 0) error = result;
  }
  return error;
}

void Finish(Launcher& l) {
  SendReport(l, ReportKind::kReady, 0);
  Exit(0);
}

}  // namespace kiste::isolation::launcher
