// SPDX-License-Identifier: Apache-2.0
#include "sys/inherited_descriptors.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <unistd.h>

namespace kiste::sys {

Status TidyInheritedDescriptors() {
  for (int stream = 0; stream < 3; ++stream) {
    if (fcntl(stream, F_GETFD) >= 0) continue;
    // The lowest that is free (open(2)): this one.
    if (open("/dev/null", O_RDWR) < 0) return ErrnoError("open /dev/null");
  }
  if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0) return ErrnoError("close_range");
  return {};
}

}  // namespace kiste::sys
