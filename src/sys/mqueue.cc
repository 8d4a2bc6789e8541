// SPDX-License-Identifier: Apache-2.0
#include "sys/mqueue.h"

#include <fcntl.h>
#include <mqueue.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "base/strings.h"

namespace kiste::sys {

namespace {

constexpr long kMqueueMagic = 0x19800202;  // the kernel's ipc/mqueue.c

}  // namespace

Result<Fd> MakeQueue(const std::string& name, mode_t mode) {
  // The kernel's mqd_t is a descriptor (mq_overview(7)); it is close-on-exec without being asked.
  mq_attr shape{};
  shape.mq_maxmsg = 8;
  shape.mq_msgsize = 64;
  Fd queue(mq_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK | O_CLOEXEC, mode, &shape));
  if (!queue) return ErrnoError(StrCat("mq_open ", name));
  return queue;
}

Result<size_t> QueueLength(int queue) {
  mq_attr about{};
  if (mq_getattr(queue, &about) < 0) return ErrnoError("mq_getattr");
  return static_cast<size_t>(about.mq_curmsgs);
}

Status UnlinkQueue(const std::string& name) {
  if (mq_unlink(name.c_str()) < 0) return ErrnoError(StrCat("mq_unlink ", name));
  return {};
}

Status LabelQueues(int directory, const std::string& label) {
  struct statfs about{};
  if (fstatfs(directory, &about) < 0) return ErrnoError("fstatfs mqueue");
  if (about.f_type != kMqueueMagic) return Invalid("expected an mqueue file system");
  // Not fsetxattr(2), which takes no O_PATH.
  std::string path = StrCat("/proc/self/fd/", directory);
  if (setxattr(path.c_str(), "security.selinux", label.c_str(), label.size() + 1, 0) < 0)
    return ErrnoError(StrCat("setxattr security.selinux ", label));
  return {};
}

}  // namespace kiste::sys
