// SPDX-License-Identifier: Apache-2.0
#include "sys/named_pipe.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strings.h"
#include "sys/file.h"

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

Result<std::string> ReadInTime(int fd, const std::string& name, size_t limit, Deadline deadline) {
  std::string text;
  char buffer[16384];
  while (true) {
    pollfd entry{fd, POLLIN, 0};
    int ready = poll(&entry, 1, deadline.PollTime());
    if (ready < 0 && errno != EINTR) return ErrnoError(StrCat("poll ", name));
    if (ready == 0)
      return Fail(ErrorKind::kTimeout, StrCat("read ", name, ": its end does not come"));
    if (ready < 0) continue;
    ssize_t size = read(fd, buffer, sizeof buffer);
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size < 0) return ErrnoError(StrCat("read ", name));
    if (size == 0) return text;
    text.append(buffer, static_cast<size_t>(size));
    if (text.size() > limit) return Invalid(StrCat(name, ": larger than ", limit, " bytes"));
  }
}

Result<std::string> ReadFileOrPipe(const std::string& path, size_t limit, Deadline deadline) {
  Fd file = TRY(Open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  auto status = TRY(StatAt(file.get(), "", AT_EMPTY_PATH));
  if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode))
    return Invalid(StrCat(path, ": expected a regular file or a pipe"));
  return ReadInTime(file.get(), path, limit, deadline);
}

}  // namespace kiste::sys
