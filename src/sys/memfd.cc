// SPDX-License-Identifier: Apache-2.0
#include "sys/memfd.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/strings.h"
#include "sys/file.h"

namespace kiste::sys {

namespace {

constexpr unsigned kMfdExec = 0x10;        // MFD_EXEC, since Linux 6.3
constexpr unsigned kMfdNoExecSeal = 0x08;  // MFD_NOEXEC_SEAL

Result<Fd> Create(const char* name, unsigned flags, unsigned newer_flags) {
  int fd = memfd_create(name, flags | newer_flags);
  if (fd < 0 && errno == EINVAL) fd = memfd_create(name, flags);  // a kernel before 6.3
  if (fd < 0) return ErrnoError(StrCat("memfd_create ", name));
  return Fd(fd);
}

}  // namespace

namespace {

std::string_view Text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The same file for reading only: execve(2) refuses one that somebody may write to (ETXTBSY).
Result<Fd> Reopen(const Fd& file) { return Open(StrCat("/proc/self/fd/", file.get()), O_RDONLY); }

Result<Fd> NamelessFile(int directory, std::string_view text, const char* name) {
  Fd file = TRY(OpenAt(directory, ".", O_TMPFILE | O_RDWR, 0500));
  TRY(WriteAll(file.get(), text, name));
  return Reopen(file);
}

// In a file system of its own that has no place in any mount table.
Result<Fd> FileOnHiddenTmpfs(std::string_view text, const char* name) {
  Fd context(static_cast<int>(syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC)));
  if (!context) return ErrnoError("fsopen tmpfs");
  if (syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
    return ErrnoError("fsconfig tmpfs");
  Fd mount(static_cast<int>(
      syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)));
  if (!mount) return ErrnoError("fsmount tmpfs");
  Fd file = TRY(NamelessFile(mount.get(), text, name));
  mount_attr readonly{
      .attr_set = MOUNT_ATTR_RDONLY, .attr_clr = 0, .propagation = 0, .userns_fd = 0};
  if (syscall(SYS_mount_setattr, mount.get(), "", AT_EMPTY_PATH, &readonly, sizeof readonly) < 0)
    return ErrnoError("mount_setattr tmpfs");
  return file;
}

}  // namespace

Result<Fd> SealedExecutable(const char* name, std::span<const std::byte> bytes, int scratch) {
  auto file = Create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING, kMfdExec);
  if (!file && file.error().errno_value == EACCES) {  // vm.memfd_noexec=2
    auto hidden = FileOnHiddenTmpfs(Text(bytes), name);
    if (hidden || scratch < 0) return hidden;
    return NamelessFile(scratch, Text(bytes), name);
  }
  if (!file) return file;
  TRY(WriteAll(file->get(), Text(bytes), name));
  constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (fcntl(file->get(), F_ADD_SEALS, kSeals) < 0)
    return ErrnoError(StrCat("fcntl F_ADD_SEALS ", name));
  return file;
}

Result<Fd> MemoryFile(const char* name, std::string_view bytes) {
  Fd file = TRY(Create(name, MFD_CLOEXEC, kMfdNoExecSeal));
  TRY(WriteAll(file.get(), bytes, name));
  if (lseek(file.get(), 0, SEEK_SET) < 0) return ErrnoError(StrCat("lseek ", name));
  return file;
}

}  // namespace kiste::sys
