// SPDX-License-Identifier: Apache-2.0
#include "sys/random.h"

#include <sys/random.h>
#include <sys/types.h>

namespace kiste::sys {

Status FillRandom(void* bytes, size_t size) {
  // Up to 256 bytes come at once; more may be cut short by a signal.
  char* at = static_cast<char*>(bytes);
  while (size > 0) {
    ssize_t got = getrandom(at, size, 0);
    if (got < 0 && errno != EINTR) return ErrnoError("getrandom");
    if (got < 0) continue;
    at += got;
    size -= static_cast<size_t>(got);
  }
  return {};
}

}  // namespace kiste::sys
