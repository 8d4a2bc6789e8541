// SPDX-License-Identifier: Apache-2.0
#include "sys/readable.h"

#include <poll.h>

namespace kiste::sys {

Result<bool> WaitReadable(int fd, Deadline deadline) {
  pollfd entry{fd, POLLIN, 0};
  while (true) {
    int ready = poll(&entry, 1, deadline.PollTime());
    if (ready >= 0) return ready > 0;
    if (errno != EINTR) return ErrnoError("poll");
  }
}

}  // namespace kiste::sys
