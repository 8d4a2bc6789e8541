// SPDX-License-Identifier: Apache-2.0
#include "sys/root_path.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/strings.h"
#include "sys/file.h"

namespace kiste::sys {

namespace {

constexpr int kMaxRetries = 64;  // openat2 answers EAGAIN while somebody renames

}  // namespace

Result<Fd> OpenInRoot(int root, const std::string& path) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  long fd = -1;
  bool again = true;
  for (int i = 0; i < kMaxRetries && again; ++i) {
    fd = syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
    again = fd < 0 && (errno == EINTR || errno == EAGAIN);
  }
  if (fd < 0) return ErrnoError(StrCat("openat2 ", path));
  return Fd(static_cast<int>(fd));
}

Status MakeInRoot(int root, const std::string& path, MountPointKind kind) {
  std::string clean = CleanPath(StrCat("/", path));
  if (clean == "/") return {};
  size_t slash = clean.find_last_of('/');
  auto there = OpenInRoot(root, clean);
  if (there || there.error().errno_value != ENOENT)
    return there ? Status() : std::unexpected(std::move(there).error());
  std::string parent = clean.substr(0, slash), name = clean.substr(slash + 1);
  TRY(MakeInRoot(root, parent, MountPointKind::kDirectory));
  Fd directory = TRY(OpenInRoot(root, StrCat(parent, "/")));
  if (kind == MountPointKind::kDirectory) return MakeDirectoryAt(directory.get(), name, 0755);
  Fd file = TRY(OpenAt(directory.get(), name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0644));
  return {};
}

}  // namespace kiste::sys
