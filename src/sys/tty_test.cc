// SPDX-License-Identifier: Apache-2.0
#include "sys/tty.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"

namespace kiste::sys {

namespace {

struct Pty {
  Fd master, slave;
};

Pty OpenPty() {
  Pty pty;
  pty.master = Fd(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!pty.master || unlockpt(pty.master.get()) < 0) return {};
  pty.slave = Fd(ioctl(pty.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  return pty;
}

termios Settings(int fd) {
  termios settings{};
  EXPECT_EQ(tcgetattr(fd, &settings), 0);
  return settings;
}

// Writes until there is no room, which must not wait; how much that was.
size_t Fill(int fd) {
  char text[1000] = {};
  size_t written = 0;
  alarm(20);
  for (ssize_t size = 0; (size = write(fd, text, sizeof text)) > 0;)
    written += static_cast<size_t>(size);
  EXPECT_EQ(errno, EAGAIN);
  alarm(0);
  return written;
}

}  // namespace

TEST(RawMode, RawWhileItLivesAndBackAfterwards) {
  Pty pty = OpenPty();
  if (!pty.slave) GTEST_SKIP() << "no pseudo-terminals here";
  termios before = Settings(pty.slave.get());
  ASSERT_NE(before.c_lflag & (ICANON | ECHO), 0u);
  {
    RawMode raw(pty.slave.get());
    termios inside = Settings(pty.slave.get());
    EXPECT_EQ(inside.c_lflag & (ICANON | ECHO | ISIG), 0u);
    EXPECT_EQ(inside.c_oflag & OPOST, 0u);
  }
  termios after = Settings(pty.slave.get());
  EXPECT_EQ(after.c_lflag, before.c_lflag);
  EXPECT_EQ(after.c_oflag, before.c_oflag);
  EXPECT_EQ(after.c_iflag, before.c_iflag);
}

TEST(RawMode, NothingForWhatIsNoTerminal) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  Fd read_end(ends[0]), write_end(ends[1]);
  {
    RawMode raw(read_end.get());
  }
  EXPECT_EQ(write(write_end.get(), "x", 1), 1);
}

TEST(Unwaiting, IsForTerminalsAndPipesAndLeavesTheOriginalAlone) {
  Pty pty = OpenPty();
  if (!pty.slave) GTEST_SKIP() << "no pseudo-terminals here";
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  Fd read_end(ends[0]), write_end(ends[1]);
  for (const Fd* original : {&pty.slave, &write_end}) {
    Fd again = OpenUnwaiting(original->get());
    ASSERT_TRUE(again);
    EXPECT_GT(Fill(again.get()), 4000u);
    EXPECT_EQ(fcntl(original->get(), F_GETFL) & O_NONBLOCK, 0);
  }
}

TEST(Unwaiting, NoneOfAMasterOrAFile) {
  Pty pty = OpenPty();
  if (!pty.slave) GTEST_SKIP() << "no pseudo-terminals here";
  EXPECT_FALSE(OpenUnwaiting(pty.master.get()));
  Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  EXPECT_FALSE(OpenUnwaiting(null.get()));
  EXPECT_FALSE(OpenUnwaiting(-1));
}

TEST(WindowSize, IsCopiedFromATerminalOnly) {
  Pty from = OpenPty(), to = OpenPty();
  if (!from.slave || !to.slave) GTEST_SKIP() << "no pseudo-terminals here";
  winsize size{};
  size.ws_row = 33;
  size.ws_col = 77;
  ASSERT_EQ(ioctl(from.master.get(), TIOCSWINSZ, &size), 0);
  CopyWindowSize(from.slave.get(), to.master.get());
  winsize seen{};
  ASSERT_EQ(ioctl(to.slave.get(), TIOCGWINSZ, &seen), 0);
  EXPECT_EQ(seen.ws_row, 33);
  EXPECT_EQ(seen.ws_col, 77);
  Fd none(open("/dev/null", O_RDWR | O_CLOEXEC));
  CopyWindowSize(none.get(), to.master.get());
  ASSERT_EQ(ioctl(to.slave.get(), TIOCGWINSZ, &seen), 0);
  EXPECT_EQ(seen.ws_row, 33);
}

}  // namespace kiste::sys
