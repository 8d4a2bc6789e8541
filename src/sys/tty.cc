// SPDX-License-Identifier: Apache-2.0
#include "sys/tty.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/strings.h"
#include "sys/file.h"

namespace kiste::sys {

RawMode::RawMode(int fd) : fd_(fd) {
  termios settings{};
  if (tcgetattr(fd, &settings) < 0) return;
  saved_ = settings;
  cfmakeraw(&settings);
  tcsetattr(fd, TCSANOW, &settings);
}

RawMode::~RawMode() {
  if (saved_) tcsetattr(fd_, TCSANOW, &*saved_);
}

Fd OpenUnwaiting(int fd) {
  struct stat status{};
  termios settings{};
  int number = 0;
  bool pipe = fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
  bool terminal = tcgetattr(fd, &settings) == 0 && ioctl(fd, TIOCGPTN, &number) < 0;
  if (!pipe && !terminal) return Fd();
  return Open(StrCat("/proc/self/fd/", fd), O_WRONLY | O_NONBLOCK | O_NOCTTY).value_or(Fd());
}

void CopyWindowSize(int from, int to) {
  winsize size{};
  if (ioctl(from, TIOCGWINSZ, &size) == 0) ioctl(to, TIOCSWINSZ, &size);
}

}  // namespace kiste::sys
