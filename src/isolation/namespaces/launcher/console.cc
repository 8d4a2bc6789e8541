// SPDX-License-Identifier: Apache-2.0
//
// The container's terminal, from its own devpts. The multiplexer is opened inside the root and
// checked to be one; the slave comes from the master's descriptor (TIOCGPTPEER), so that no name in
// /dev/pts is trusted (CVE-2025-52565).
#include <asm/ioctls.h>
#include <asm/termios.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/stat.h>

#include "isolation/namespaces/launcher/launcher.h"

namespace kiste::isolation::launcher {

namespace {

bool IsMultiplexer(int fd) {
  FileKind kind;
  return Examine(fd, kind) == 0 && (kind.mode & S_IFMT) == S_IFCHR && kind.device_major == 5 &&
         kind.device_minor == 2 && FileSystemType(fd) == DEVPTS_SUPER_MAGIC;
}

// The multiplexer of the container's devpts, opened for reading and writing. Looked at before, so
// that nothing else is opened by a mere link, and after, since the name may have changed hands.
long OpenMultiplexer(Launcher& l) {
  constexpr char kPath[] = "dev/pts/ptmx";
  Handle node(OpenInRoot(l, kPath, Create::kNothing, /*no_symlinks=*/true));
  if (node.bad()) {
    l.Explain("/dev/pts/ptmx (is there a devpts mount on /dev/pts?)");
    return node.error();
  }
  l.Explain("/dev/pts/ptmx is no devpts multiplexer");
  if (!IsMultiplexer(node.get())) return -ENODEV;
  Handle master(OpenTerminalInRoot(l, kPath));
  if (master.bad()) return master.error();
  return IsMultiplexer(master.get()) ? master.Release() : -ENODEV;
}

long BindOnConsole(Launcher& l, int slave) {
  Handle target(OpenInRoot(l, "dev/console", Create::kFile, /*no_symlinks=*/true));
  if (target.bad()) {
    l.Explain("/dev/console");
    return target.error();
  }
  Handle tree(Call<__NR_open_tree>(slave, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH));
  if (tree.bad()) return tree.error();
  return Call<__NR_move_mount>(tree.get(), "", target.get(), "",
                               MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

}  // namespace

long Console(Launcher& l, const Operation& op) {
  Handle master(OpenMultiplexer(l));
  if (master.bad()) return master.error();
  int locked = 0;
  long error = Call<__NR_ioctl>(master.get(), TIOCSPTLCK, &locked);
  if (error < 0) return error;
  Handle slave(Call<__NR_ioctl>(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (slave.bad()) return slave.error();
  if (op.a != 0 || op.b != 0) {
    winsize size{};
    size.ws_row = static_cast<unsigned short>(op.a);
    size.ws_col = static_cast<unsigned short>(op.b);
    error = Call<__NR_ioctl>(slave.get(), TIOCSWINSZ, &size);
    if (error < 0) return error;
  }
  if ((op.flags & kBindConsole) != 0) {
    error = BindOnConsole(l, slave.get());
    if (error < 0) return error;
  }
  IoVector name{"/dev/ptmx", 9};
  error = SendDescriptor(op.fd, master.get(), &name, 1);
  if (error < 0) {
    l.Explain("send the terminal to the console socket");
    return error;
  }
  Call<__NR_close>(op.fd);
  error = Call<__NR_ioctl>(slave.get(), TIOCSCTTY, 0);
  for (int fd = 0; fd < 3 && error >= 0; ++fd) error = Call<__NR_dup3>(slave.get(), fd, 0);
  return error < 0 ? error : 0;
}

}  // namespace kiste::isolation::launcher
