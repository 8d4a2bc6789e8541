// SPDX-License-Identifier: Apache-2.0
#include "sys/named_pipe.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/fd.h"
#include "base/strings.h"

namespace kiste::sys {

namespace {

constexpr std::chrono::milliseconds kShort(50), kLong(10'000);

struct Pipe {
  Pipe() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    out = Fd(ends[0]);
    in = Fd(ends[1]);
  }
  void Put(std::string_view text) const {
    EXPECT_EQ(write(in.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string Path() const { return StrCat("/dev/fd/", out.get()); }
  Fd out, in;
};

}  // namespace

TEST(ReadFileOrPipe, ReadsWhatAWriterLeftWhoIsGone) {
  Pipe pipe;
  pipe.Put("text");
  pipe.in = Fd();
  EXPECT_EQ(ReadFileOrPipe(pipe.Path(), 100, Deadline::In(kLong)).value(), "text");
}

TEST(ReadFileOrPipe, WaitsForTheEndUntilTheDeadline) {
  Pipe pipe;
  pipe.Put("text");
  auto read = ReadFileOrPipe(pipe.Path(), 100, Deadline::In(kShort));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(read.error().Text(), StrCat("read ", pipe.Path(), ": its end does not come"));
}

TEST(ReadFileOrPipe, WaitsForAWriterUntilTheDeadline) {
  char folder[] = "/tmp/kiste-fifo-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  std::string fifo = StrCat(folder, "/fifo");
  ASSERT_TRUE(MakeFifo(fifo, 0600));
  auto read = ReadFileOrPipe(fifo, 100, Deadline::In(kShort));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::kTimeout);
  unlink(fifo.c_str());
  rmdir(folder);
}

TEST(ReadFileOrPipe, RefusesWhatIsLongerAndWhatIsNeither) {
  Pipe pipe;
  pipe.Put("text");
  auto longer = ReadFileOrPipe(pipe.Path(), 3, Deadline::In(kLong));
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().kind, ErrorKind::kInvalid);
  for (const char* path : {"/dev/null", "/dev/zero", "/tmp"}) {
    auto read = ReadFileOrPipe(path, 100, Deadline::In(kLong));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().Text(), StrCat(path, ": expected a regular file or a pipe"));
  }
}

TEST(ReadInTime, ReadsADescriptorOfAnyKind) {
  Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(ReadInTime(null.get(), "null", 100, Deadline::In(kLong)).value(), "");
  auto closed = ReadInTime(99'999, "closed", 100, Deadline::In(kLong));
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().errno_value, EBADF);
}

}  // namespace kiste::sys
