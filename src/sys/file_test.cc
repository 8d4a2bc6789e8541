// SPDX-License-Identifier: Apache-2.0
#include "sys/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include "base/strings.h"
#include "sys/named_pipe.h"

namespace kiste::sys {

namespace {

class FileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / "kiste-file-XXXXXX";
    ASSERT_NE(mkdtemp(path_.data()), nullptr);
    path_ = std::filesystem::canonical(path_);
    directory_ = Open(path_, O_RDONLY | O_DIRECTORY).value();
  }
  void TearDown() override { std::filesystem::remove_all(path_); }

  int directory() const { return directory_.get(); }
  std::string In(std::string_view name) const { return StrCat(path_, "/", name); }
  void Put(const std::string& name, std::string_view text) {
    Fd file = OpenAt(directory(), name, O_WRONLY | O_CREAT | O_TRUNC, 0600).value();
    ASSERT_TRUE(WriteAll(file.get(), text, name));
  }
  mode_t ModeOf(const std::string& name) const {
    return StatAt(directory(), name, AT_SYMLINK_NOFOLLOW).value().st_mode & 07777;
  }

  std::string path_;
  Fd directory_;
};

}  // namespace

TEST_F(FileTest, OpenedFilesAreCloseOnExec) {
  Put("a", "x");
  Fd file = OpenAt(directory(), "a", O_RDONLY).value();
  EXPECT_EQ(fcntl(file.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST_F(FileTest, OpenErrorNamesCallAndPath) {
  auto opened = Open(In("none"), O_RDONLY);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().Text(),
            StrCat("open ", In("none"), ": no such file or directory (ENOENT)"));
  EXPECT_EQ(opened.error().kind, ErrorKind::kSystem);
}

TEST_F(FileTest, ReadsWholeFilesAndRefusesLongerOnes) {
  std::string text(100000, 'x');
  Put("a", text);
  EXPECT_EQ(ReadFileAt(directory(), "a").value(), text);
  EXPECT_EQ(ReadFileAt(directory(), "a", text.size()).value(), text);
  auto longer = ReadFileAt(directory(), "a", text.size() - 1);
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(longer.error().Text(), "a: larger than 99999 bytes");
}

TEST_F(FileTest, ReadsFilesWithoutASize) {
  EXPECT_EQ(ReadFileAt(AT_FDCWD, "/proc/self/comm").value(),
            ReadFileAt(AT_FDCWD, StrCat("/proc/", getpid(), "/comm")).value());
  EXPECT_FALSE(ReadFileAt(AT_FDCWD, "/proc/self/comm").value().empty());
}

TEST_F(FileTest, ReadErrorNamesTheDirectory) {
  auto read = ReadFileAt(AT_FDCWD, path_);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().errno_value, EISDIR);
  EXPECT_TRUE(read.error().Text().starts_with(StrCat("read ", path_)));
}

TEST_F(FileTest, RegularFileOnlyNeverWaitsForAFifo) {
  ASSERT_EQ(mkfifo(In("fifo").c_str(), 0600), 0);
  auto read = ReadRegularFile(In("fifo"), 100);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(read.error().Text(), StrCat(In("fifo"), ": expected a regular file"));
  EXPECT_FALSE(ReadRegularFile("/dev/null", 100));
  EXPECT_FALSE(ReadRegularFile(path_, 100));
  Put("a", "text");
  EXPECT_EQ(ReadRegularFile(In("a"), 100).value(), "text");
}

TEST_F(FileTest, WriteExistingMakesNoFile) {
  auto written = WriteExisting(In("a"), "x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().errno_value, ENOENT);
  EXPECT_FALSE(Exists(directory(), "a"));
  Put("a", "");
  EXPECT_TRUE(WriteExisting(In("a"), "x"));
  EXPECT_EQ(ReadFileAt(directory(), "a").value(), "x");
}

TEST_F(FileTest, WriteErrorNamesTheFile) {
  Fd full = Open("/dev/full", O_WRONLY).value();
  auto written = WriteAll(full.get(), "x", "the-name");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().errno_value, ENOSPC);
  EXPECT_TRUE(written.error().Text().starts_with("write the-name: "));
}

TEST_F(FileTest, ReplaceKeepsModeAndLeavesNothingElse) {
  Put("a", "a long former content");
  ASSERT_TRUE(ReplaceFileAt(directory(), "a", "new", 0640));
  EXPECT_EQ(ReadFileAt(directory(), "a").value(), "new");
  EXPECT_EQ(ModeOf("a"), 0640u);
  EXPECT_EQ(ListDirectory(directory(), "d").value(), std::vector<std::string>{"a"});
}

TEST_F(FileTest, FailedReplaceKeepsTheOldAndLeavesNothingElse) {
  ASSERT_TRUE(MakeDirectoryAt(directory(), "d", 0700));
  auto replaced = ReplaceFileAt(directory(), "d", "new", 0600);  // a directory is in the way
  ASSERT_FALSE(replaced);
  EXPECT_EQ(replaced.error().errno_value, EISDIR);
  EXPECT_EQ(ListDirectory(directory(), "x").value(), std::vector<std::string>{"d"});
}

TEST_F(FileTest, ReplaceDoesNotUseWhatStandsAtItsTemporaryName) {
  std::string temporary = StrCat(".a.", getpid());
  ASSERT_EQ(mkfifoat(directory(), temporary.c_str(), 0666), 0);  // to open it would block
  ASSERT_TRUE(ReplaceFileAt(directory(), "a", "new", 0600));
  EXPECT_EQ(ReadFileAt(directory(), "a").value(), "new");
  EXPECT_FALSE(Exists(directory(), temporary));
  ASSERT_EQ(mkdirat(directory(), temporary.c_str(), 0700), 0);  // what does not go is an error
  auto replaced = ReplaceFileAt(directory(), "a", "newer", 0600);
  ASSERT_FALSE(replaced);
  EXPECT_EQ(replaced.error().errno_value, EEXIST);
  EXPECT_EQ(ReadFileAt(directory(), "a").value(), "new");
}

TEST_F(FileTest, ReplaceDoesNotWriteThroughALink) {
  Put("target", "kept");
  ASSERT_EQ(symlinkat("target", directory(), "link"), 0);
  ASSERT_TRUE(ReplaceFileAt(directory(), "link", "new", 0600));
  EXPECT_EQ(ReadFileAt(directory(), "target").value(), "kept");
  EXPECT_EQ(ReadFileAt(directory(), "link").value(), "new");
}

TEST_F(FileTest, ReadersSeeTheOldOrTheNewFile) {
  const std::string old_text(20000, 'a'), new_text(20000, 'b');
  ASSERT_TRUE(ReplaceFileAt(directory(), "f", old_text, 0600));
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; i < 60; ++i) {
      EXPECT_TRUE(ReplaceFileAt(directory(), "f", i % 2 == 0 ? new_text : old_text, 0600));
    }
    done = true;
  });
  while (!done) {
    auto text = ReadFileAt(directory(), "f");
    EXPECT_TRUE(text && (*text == old_text || *text == new_text));
  }
  writer.join();
}

TEST_F(FileTest, MakesParentsWithTheSameMode) {
  mode_t before = umask(0);
  EXPECT_TRUE(MakeDirectories(In("a/b/c"), 0711));
  EXPECT_TRUE(MakeDirectories(In("a/b/c"), 0711));
  EXPECT_TRUE(MakeDirectories(In("a/b/d/"), 0711));
  umask(before);
  for (const char* name : {"a", "a/b", "a/b/c", "a/b/d"}) EXPECT_EQ(ModeOf(name), 0711u) << name;
}

TEST_F(FileTest, MakeDirectoriesFailsBelowAFile) {
  Put("file", "");
  auto made = MakeDirectories(In("file/a/b"), 0700);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().errno_value, ENOTDIR);
  EXPECT_TRUE(made.error().Text().starts_with("mkdir "));
}

TEST_F(FileTest, UnlinkAndMakeDirectoryErrors) {
  EXPECT_EQ(UnlinkAt(directory(), "none").error().errno_value, ENOENT);
  ASSERT_TRUE(MakeDirectoryAt(directory(), "d", 0700));
  EXPECT_EQ(MakeDirectoryAt(directory(), "d", 0700).error().errno_value, EEXIST);
  EXPECT_FALSE(UnlinkAt(directory(), "d"));
  EXPECT_TRUE(UnlinkAt(directory(), "d", AT_REMOVEDIR));
  EXPECT_FALSE(Exists(directory(), "d"));
}

TEST_F(FileTest, ADanglingLinkExists) {
  ASSERT_EQ(symlinkat("nowhere", directory(), "link"), 0);
  EXPECT_TRUE(Exists(directory(), "link"));
  EXPECT_FALSE(Exists(directory(), "nowhere"));
  EXPECT_FALSE(StatAt(directory(), "link"));
  EXPECT_TRUE(S_ISLNK(StatAt(directory(), "link", AT_SYMLINK_NOFOLLOW).value().st_mode));
}

TEST_F(FileTest, ListsAllNamesEveryTime) {
  for (int i = 0; i < 150; ++i) Put(StrCat("file", i), "");
  Put(".hidden", "");
  for (int round = 0; round < 2; ++round) {  // the given descriptor's position stays its own
    auto names = ListDirectory(directory(), path_).value();
    std::sort(names.begin(), names.end());
    EXPECT_EQ(names.size(), 151u);
    EXPECT_EQ(names.front(), ".hidden");
  }
  Put("plain", "");
  Fd file = OpenAt(directory(), "plain", O_RDONLY).value();
  auto listed = ListDirectory(file.get(), "plain");
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().errno_value, ENOTDIR);
}

TEST_F(FileTest, ListDirectoryLeaksNothing) {
  int before = dup(0);
  close(before);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(ListDirectory(directory(), path_));
  int after = dup(0);
  close(after);
  EXPECT_EQ(before, after);
}

TEST_F(FileTest, LockExcludesOthers) {
  Fd other = Open(path_, O_RDONLY | O_DIRECTORY).value();
  ASSERT_TRUE(LockExclusive(directory(), path_));
  EXPECT_EQ(flock(other.get(), LOCK_EX | LOCK_NB), -1);
  directory_.Reset();
  EXPECT_TRUE(LockExclusive(other.get(), path_));
  EXPECT_EQ(LockExclusive(-1, "x").error().errno_value, EBADF);
}

TEST_F(FileTest, LockIsNotWaitedForWithoutEnd) {
  Fd other = Open(path_, O_RDONLY | O_DIRECTORY).value();
  ASSERT_TRUE(LockExclusive(directory(), path_));
  auto late = LockExclusive(other.get(), path_, Deadline::In(std::chrono::milliseconds(20)));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::kTimeout);
  Unlock(directory());
  EXPECT_TRUE(LockExclusive(other.get(), path_, Deadline::In(std::chrono::milliseconds(0))));
}

TEST_F(FileTest, RealPathFollowsLinks) {
  ASSERT_TRUE(MakeDirectories(In("a/b"), 0700));
  ASSERT_EQ(symlinkat("a/b", directory(), "link"), 0);
  EXPECT_EQ(RealPath(In("link/../b")).value(), In("a/b"));
  EXPECT_EQ(RealPath(In("none")).error().errno_value, ENOENT);
}

TEST(CleanPath, WorksByTheLettersAlone) {
  EXPECT_EQ(CleanPath("/"), "/");
  EXPECT_EQ(CleanPath("//"), "/");
  EXPECT_EQ(CleanPath("/.."), "/");
  EXPECT_EQ(CleanPath("/../../a"), "/a");
  EXPECT_EQ(CleanPath("//a//./b/../c/"), "/a/c");
  EXPECT_EQ(CleanPath("/a/.."), "/");
  EXPECT_EQ(CleanPath("/a/...b/..c"), "/a/...b/..c");
  EXPECT_EQ(CleanPath(""), ".");
  EXPECT_EQ(CleanPath("."), ".");
  EXPECT_EQ(CleanPath("a/.."), ".");
  EXPECT_EQ(CleanPath("../a"), "../a");
  EXPECT_EQ(CleanPath("a/../../../b"), "../../b");
}

TEST_F(FileTest, WhatIsNotThereIsRemoved) {
  EXPECT_EQ(UnlinkAt(AT_FDCWD, path_ + "/nosuch").error().errno_value, ENOENT);
  EXPECT_TRUE(RemoveAt(AT_FDCWD, path_ + "/nosuch"));
  EXPECT_EQ(RemoveAt(AT_FDCWD, path_).error().errno_value, EISDIR);
}

TEST_F(FileTest, CurrentDirectoryIsAbsolute) {
  Fd before = Open(".", O_PATH | O_DIRECTORY).value();
  ASSERT_EQ(chdir(path_.c_str()), 0);
  auto current = CurrentDirectory();
  ASSERT_EQ(fchdir(before.get()), 0);
  EXPECT_EQ(current.value(), path_);
}

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

TEST(ReadFileWithin, ReadsWhatAWriterLeftWhoIsGone) {
  Pipe pipe;
  pipe.Put("text");
  pipe.in = Fd();
  EXPECT_EQ(ReadFileWithin(pipe.Path(), 100, Deadline::In(kLong)).value(), "text");
}

TEST(ReadFileWithin, WaitsForTheEndUntilTheDeadline) {
  Pipe pipe;
  pipe.Put("text");
  auto read = ReadFileWithin(pipe.Path(), 100, Deadline::In(kShort));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(read.error().Text(), StrCat("read ", pipe.Path(), ": its end did not come in time"));
}

TEST(ReadFileWithin, WaitsForAWriterUntilTheDeadline) {
  char folder[] = "/tmp/kiste-fifo-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  std::string fifo = StrCat(folder, "/fifo");
  ASSERT_TRUE(MakeFifo(fifo, 0600));
  auto read = ReadFileWithin(fifo, 100, Deadline::In(kShort));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::kTimeout);
  unlink(fifo.c_str());
  rmdir(folder);
}

TEST(ReadFileWithin, RefusesWhatIsLongerAndWhatIsNeither) {
  Pipe pipe;
  pipe.Put("text");
  auto longer = ReadFileWithin(pipe.Path(), 3, Deadline::In(kLong));
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().kind, ErrorKind::kInvalid);
  for (const char* path : {"/dev/null", "/dev/zero", "/tmp"}) {
    auto read = ReadFileWithin(path, 100, Deadline::In(kLong));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().Text(), StrCat(path, ": expected a regular file or a pipe"));
  }
}

TEST(ReadAll, ReadsADescriptorOfAnyKind) {
  Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(ReadAll(null.get(), "null", 100, Deadline::In(kLong)).value(), "");
  auto closed = ReadAll(99'999, "closed", 100, Deadline::In(kLong));
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().errno_value, EBADF);
}

}  // namespace kiste::sys
