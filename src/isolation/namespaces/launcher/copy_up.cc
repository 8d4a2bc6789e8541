// SPDX-License-Identifier: Apache-2.0
//
// tmpcopyup: copies a directory's content into a new tmpfs before it covers that directory. Only
// descriptors and single names are used, links are copied as links.
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "isolation/namespaces/launcher/launcher.h"

namespace kiste::isolation::launcher {

namespace {

constexpr int kMaxDepth = 128;

struct DirectoryEntry {  // getdents64(2)
  __u64 inode;
  __s64 offset;
  __u16 length;
  __u8 type;
  // The name follows, ended by a NUL.
  const char* Name() const { return reinterpret_cast<const char*>(&type) + sizeof type; }
};

long CopyDirectory(int from, int to, int depth);

long CopyContent(int from, int to, const char* name) {
  Handle in(Call<__NR_openat>(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (in.bad()) return in.error();
  Handle out(Call<__NR_openat>(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (out.bad()) return out.error();
  while (true) {
    long moved = Call<__NR_sendfile>(out.get(), in.get(), nullptr, 1 << 20);
    if (moved <= 0) return moved;
  }
}

long CopyLink(int from, int to, const char* name) {
  char target[kPathMax];
  long length = Call<__NR_readlinkat>(from, name, target, sizeof target - 1);
  if (length < 0) return length;
  target[length] = 0;
  return Call<__NR_symlinkat>(target, to, name);
}

long CopyChildDirectory(int from, int to, const char* name, int depth) {
  long error = Call<__NR_mkdirat>(to, name, 0700);
  if (error < 0) return error;
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  Handle in(Call<__NR_openat>(from, name, kFlags));
  Handle out(Call<__NR_openat>(to, name, kFlags));
  if (in.bad() || out.bad()) return in.bad() ? in.error() : out.error();
  return CopyDirectory(in.get(), out.get(), depth + 1);
}

long CopyAttributes(int to, const char* name, const struct statx& status) {
  long error = Call<__NR_fchownat>(to, name, status.stx_uid, status.stx_gid, AT_SYMLINK_NOFOLLOW);
  if (error < 0 || (status.stx_mode & S_IFMT) == S_IFLNK) return error;
  // After the owner: chown clears set-user-ID bits. The name is ours alone until it is attached.
  error = Call<__NR_fchmodat>(to, name, status.stx_mode & 07777);
  if (error < 0) return error;
  __s64 times[4] = {status.stx_atime.tv_sec, status.stx_atime.tv_nsec, status.stx_mtime.tv_sec,
                    status.stx_mtime.tv_nsec};
  return Call<__NR_utimensat>(to, name, times, AT_SYMLINK_NOFOLLOW);
}

long CopyEntry(int from, int to, const char* name, int depth) {
  struct statx status{};
  long error = Call<__NR_statx>(from, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &status);
  if (error < 0) return error;
  switch (status.stx_mode & S_IFMT) {
    case S_IFDIR:
      error = CopyChildDirectory(from, to, name, depth);
      break;
    case S_IFREG:
      error = CopyContent(from, to, name);
      break;
    case S_IFLNK:
      error = CopyLink(from, to, name);
      break;
    default:
      error = Call<__NR_mknodat>(to, name, status.stx_mode,
                                 DeviceNumber(status.stx_rdev_major, status.stx_rdev_minor));
  }
  return error < 0 ? error : CopyAttributes(to, name, status);
}

long CopyDirectory(int from, int to, int depth) {
  if (depth > kMaxDepth) return -ELOOP;
  alignas(DirectoryEntry) char buffer[2048] = {};
  while (true) {
    long size = Call<__NR_getdents64>(from, buffer, sizeof buffer);
    if (size <= 0) return size;
    for (long at = 0; at < size;) {
      auto* entry = reinterpret_cast<DirectoryEntry*>(buffer + at);
      at += entry->length;
      if (Equal(entry->Name(), ".") || Equal(entry->Name(), "..")) continue;
      long error = CopyEntry(from, to, entry->Name(), depth);
      if (error < 0) return error;
    }
  }
}

}  // namespace

long CopyTree(int from, int to) {
  struct statx status{};
  long error = Call<__NR_statx>(from, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status);
  if (error == 0) error = CopyDirectory(from, to, 0);
  if (error < 0) return error;
  return Call<__NR_fchown>(to, status.stx_uid, status.stx_gid);
}

}  // namespace kiste::isolation::launcher
