// SPDX-License-Identifier: Apache-2.0
#include "sys/memfd.h"

#include <fcntl.h>
#include <sys/mman.h>
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

Result<Fd> SealedExecutable(const char* name, std::span<const std::byte> bytes) {
  Fd file = TRY(Create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING, kMfdExec));
  TRY(WriteAll(file.get(), {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, name));
  constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (fcntl(file.get(), F_ADD_SEALS, kSeals) < 0)
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
