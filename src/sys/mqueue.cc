// SPDX-License-Identifier: Apache-2.0
#include "sys/mqueue.h"

#include <fcntl.h>
#include <mqueue.h>

#include "base/strings.h"

namespace kiste::sys {

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

}  // namespace kiste::sys
