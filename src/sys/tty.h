// SPDX-License-Identifier: Apache-2.0
//
// Terminals (termios(3), ioctl_tty(2)).
#pragma once

#include <termios.h>

#include <optional>

#include "base/fd.h"
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

// The terminal or pipe `fd`, opened once more for writing that never waits: for a terminal poll(2)
// promises room for one byte, and O_NONBLOCK on `fd` itself would be for all who share it, as a
// shell does. Invalid for anything else (a pty's master too: opening it makes another one), and
// where it cannot be opened (it is somebody else's, there is no /proc).
Fd OpenUnwaiting(int fd);

// Copies the window size of terminal `from` to `to`; no error when `from` is none.
void CopyWindowSize(int from, int to);

}  // namespace kiste::sys
