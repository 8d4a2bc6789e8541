// SPDX-License-Identifier: Apache-2.0
#include "runtime/host_root.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/strings.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/mountinfo.h"

namespace kiste::runtime {

namespace {

// The recorded path has no links: one that has come since is not followed to somebody else's mount.
Result<Fd> OpenWithoutLinks(const std::string& path) {
  open_how how{};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS;
  long fd = syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how);
  if (fd < 0) return ErrnoError(StrCat("open ", path));
  return Fd(static_cast<int>(fd));
}

Result<uint64_t> OwnMountNamespace() {
  auto stat = TRY(sys::StatAt(AT_FDCWD, "/proc/self/ns/mnt"));
  return static_cast<uint64_t>(stat.st_ino);
}

}  // namespace

Result<HostRoot> LookBelowHostRoot(const std::string& rootfs) {
  Fd root = TRY(OpenWithoutLinks(rootfs));
  return HostRoot{.below = TRY(sys::MountOf(root.get(), rootfs)).id,
                  .mount_namespace = TRY(OwnMountNamespace())};
}

Status RemoveHostRoot(const Record& record) {
  if (record.host_root.below == 0) return {};
  if (TRY(OwnMountNamespace()) != record.host_root.mount_namespace) return {};
  auto root = OpenWithoutLinks(record.rootfs);
  if (!root) return {};  // the bundle is gone, and the mounts with it
  if (TRY(sys::MountOf(root->get(), record.rootfs)).id == record.host_root.below) return {};
  return sys::DetachMount(root->get(), record.rootfs);
}

}  // namespace kiste::runtime
