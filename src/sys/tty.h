// SPDX-License-Identifier: Apache-2.0
//
// Terminals (termios(3), ioctl_tty(2)).
#pragma once

#include <termios.h>

#include <optional>

#include "base/result.h"

namespace kiste::sys {

// Puts the terminal `fd` into raw mode and back when destroyed. Nothing if it is no terminal.
class RawMode {
 public:
  explicit RawMode(int fd);
  RawMode(const RawMode&) = delete;
  RawMode& operator=(const RawMode&) = delete;
  ~RawMode();

 private:
  int fd_;
  std::optional<termios> saved_;
};

// Copies the window size of terminal `from` to `to`; no error when `from` is none.
void CopyWindowSize(int from, int to);

}  // namespace kiste::sys
