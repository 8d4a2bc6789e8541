// SPDX-License-Identifier: Apache-2.0
#include "sys/named_pipe.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/strings.h"

namespace kiste::sys {

Status MakeFifo(const std::string& path, mode_t mode) {
  if (mkfifo(path.c_str(), mode) < 0) return ErrnoError(StrCat("mkfifo ", path));
  if (chmod(path.c_str(), mode) < 0) return ErrnoError(StrCat("chmod ", path));
  return {};
}

Status KeepOnExec(int fd) {
  if (fcntl(fd, F_SETFD, 0) < 0) return ErrnoError(StrCat("fcntl ", fd));
  return {};
}

Status SetNonblocking(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
    return ErrnoError(StrCat("fcntl ", fd));
  return {};
}

}  // namespace kiste::sys
