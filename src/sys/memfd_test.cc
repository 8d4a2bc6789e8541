// SPDX-License-Identifier: Apache-2.0
#include "sys/memfd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "base/strings.h"
#include "sys/file.h"

namespace kiste::sys {

namespace {

Result<Fd> SealedText(std::string_view text) {
  return SealedExecutable("kiste-test", std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace

TEST(Memfd, SealedFileCannotBeChanged) {
  auto file = SealedText("content");
  if (!file && file.error().errno_value == EACCES)
    GTEST_SKIP() << "vm.memfd_noexec=2 forbids executable memory files";
  ASSERT_TRUE(file) << file.error().Text();
  int fd = file->get();
  EXPECT_EQ(pwrite(fd, "X", 1, 0), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(ftruncate(fd, 0), -1);
  EXPECT_EQ(ftruncate(fd, 100), -1);
  EXPECT_EQ(mmap(nullptr, 7, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
  EXPECT_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);  // not even the seals
  // Through /proc, as a process in a container would try it (CVE-2019-5736).
  Fd again(open(StrCat("/proc/self/fd/", fd).c_str(), O_RDWR | O_CLOEXEC));
  EXPECT_EQ(pwrite(again.get(), "X", 1, 0), -1);
  char text[16] = {};
  EXPECT_EQ(pread(fd, text, sizeof text, 0), 7);
  EXPECT_STREQ(text, "content");
}

TEST(Memfd, SealedFileIsExecutableAndCloseOnExec) {
  auto file = SealedText("#!/bin/true\n");
  if (!file && file.error().errno_value == EACCES)
    GTEST_SKIP() << "vm.memfd_noexec=2 forbids executable memory files";
  ASSERT_TRUE(file) << file.error().Text();
  struct stat status{};
  ASSERT_EQ(fstat(file->get(), &status), 0);
  EXPECT_NE(status.st_mode & 0111, 0u);
  EXPECT_EQ(fcntl(file->get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST(Memfd, MemoryFileIsReadFromItsStart) {
  std::string text(100000, 'x');
  text += '\0';
  text += "end";
  Fd file = MemoryFile("kiste-test", text).value();
  EXPECT_EQ(ReadAll(file.get(), "memory", 1 << 20).value(), text);
  EXPECT_EQ(fcntl(file.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST(Memfd, EmptyMemoryFileCanBeWritten) {
  Fd file = MemoryFile("kiste-test", {}).value();
  EXPECT_EQ(write(file.get(), "out", 3), 3);
  char text[8];
  EXPECT_EQ(pread(file.get(), text, sizeof text, 0), 3);
}

TEST(Memfd, ErrorNamesTheFile) {
  std::string too_long(300, 'n');
  auto file = MemoryFile(too_long.c_str(), {});
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().errno_value, EINVAL);
  EXPECT_TRUE(file.error().Text().starts_with("memfd_create nnn"));
}

}  // namespace kiste::sys
