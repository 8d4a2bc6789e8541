// SPDX-License-Identifier: Apache-2.0
#include <asm/statfs.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "isolation/namespaces/launcher/launcher.h"

namespace kiste::isolation::launcher {

long WriteAll(int fd, const void* from, unsigned long size) {
  const auto* at = static_cast<const char*>(from);
  while (size > 0) {
    long written = Call<__NR_write>(fd, at, size);
    if (written == -EINTR) continue;
    if (written < 0) return written;
    at += written;
    size -= static_cast<unsigned long>(written);
  }
  return 0;
}

long Examine(int fd, FileKind& kind) {
  struct statx status{};
  long error = Call<__NR_statx>(fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW,
                                STATX_TYPE | STATX_MODE | STATX_UID | STATX_SIZE, &status);
  if (error < 0) return error;
  kind = {status.stx_mode, status.stx_uid, status.stx_rdev_major, status.stx_rdev_minor,
          status.stx_size};
  return 0;
}

long FileSystemType(int fd) {
  struct statfs status{};
  long error = Call<__NR_fstatfs>(fd, &status);
  return error < 0 ? error : static_cast<long>(status.f_type);
}

}  // namespace kiste::isolation::launcher
