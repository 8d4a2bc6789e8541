// SPDX-License-Identifier: Apache-2.0
#include "sys/tty.h"

#include <sys/ioctl.h>

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

void CopyWindowSize(int from, int to) {
  winsize size{};
  if (ioctl(from, TIOCGWINSZ, &size) == 0) ioctl(to, TIOCSWINSZ, &size);
}

}  // namespace kiste::sys
