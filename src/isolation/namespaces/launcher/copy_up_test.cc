// SPDX-License-Identifier: Apache-2.0
//
// tmpcopyup's copy, run natively (CMakeLists.txt).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "isolation/namespaces/launcher/launcher.h"

namespace kiste::isolation::launcher {

namespace {

namespace fs = std::filesystem;

class CopyTreeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    base_ = fs::temp_directory_path() / "kiste-copy-XXXXXX";
    ASSERT_NE(mkdtemp(base_.data()), nullptr);
    fs::create_directories(base_ + "/from");
    fs::create_directories(base_ + "/to");
  }
  void TearDown() override { fs::remove_all(base_); }

  std::string From(const std::string& name) const { return base_ + "/from/" + name; }
  std::string To(const std::string& name) const { return base_ + "/to/" + name; }
  long Copy() {
    Handle from(open(From("").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    Handle to(open(To("").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return CopyTree(from.get(), to.get());
  }
  static struct stat Stat(const std::string& path) {
    struct stat status{};
    EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
    return status;
  }
  static std::string Read(const std::string& path) {
    std::ifstream stream(path);
    std::stringstream text;
    text << stream.rdbuf();
    return text.str();
  }
  std::string base_;
};

}  // namespace

TEST_F(CopyTreeTest, FilesAndDirectoriesAllTheWayDown) {
  fs::create_directories(From("a/b/c"));
  std::ofstream(From("a/b/c/file")) << "content";
  std::ofstream(From("empty"));
  std::string big(3 << 20, 'x');  // more than one sendfile
  std::ofstream(From("big")) << big;
  ASSERT_EQ(Copy(), 0);
  EXPECT_EQ(Read(To("a/b/c/file")), "content");
  EXPECT_EQ(Read(To("big")), big);
  EXPECT_EQ(fs::file_size(To("empty")), 0u);
}

TEST_F(CopyTreeTest, ManyNamesAreAllThere) {
  for (int i = 0; i < 150; ++i) std::ofstream(From("a-rather-long-file-name-" + std::to_string(i)));
  ASSERT_EQ(Copy(), 0);
  EXPECT_EQ(std::distance(fs::directory_iterator(To("")), {}), 150);
}

TEST_F(CopyTreeTest, ModesAndTimes) {
  std::ofstream(From("file")) << "x";
  fs::create_directory(From("dir"));
  std::ofstream(From("dir/inside")) << "x";
  chmod(From("file").c_str(), 04751);
  chmod(From("dir").c_str(), 01777);
  timespec times[2] = {{1000, 5}, {2000, 7}};
  for (const char* name : {"file", "dir/inside", "dir"})
    ASSERT_EQ(utimensat(AT_FDCWD, From(name).c_str(), times, 0), 0);
  ASSERT_EQ(Copy(), 0);
  EXPECT_EQ(Stat(To("file")).st_mode & 07777, 04751u);
  EXPECT_EQ(Stat(To("dir")).st_mode & 07777, 01777u);
  for (const char* name : {"file", "dir/inside", "dir"}) {
    EXPECT_EQ(Stat(To(name)).st_mtim.tv_sec, 2000) << name;
    EXPECT_EQ(Stat(To(name)).st_mtim.tv_nsec, 7) << name;
  }
}

TEST_F(CopyTreeTest, UnwritableDirectoriesAreFilledToo) {
  fs::create_directories(From("sealed"));
  std::ofstream(From("sealed/file")) << "x";
  chmod(From("sealed").c_str(), 0555);
  ASSERT_EQ(Copy(), 0);
  EXPECT_EQ(Read(To("sealed/file")), "x");
  EXPECT_EQ(Stat(To("sealed")).st_mode & 07777, 0555u);
  chmod(From("sealed").c_str(), 0755);
  chmod(To("sealed").c_str(), 0755);
}

TEST_F(CopyTreeTest, LinksAreCopiedAsLinks) {
  std::ofstream(base_ + "/secret") << "secret";
  fs::create_symlink(base_ + "/secret", From("absolute"));
  fs::create_symlink("../secret", From("relative"));
  fs::create_symlink("nowhere", From("dangling"));
  fs::create_directory_symlink("..", From("up"));
  ASSERT_EQ(Copy(), 0);
  EXPECT_EQ(fs::read_symlink(To("absolute")), base_ + "/secret");
  EXPECT_EQ(fs::read_symlink(To("relative")), "../secret");
  EXPECT_EQ(fs::read_symlink(To("dangling")), "nowhere");
  EXPECT_EQ(fs::read_symlink(To("up")), "..");
  EXPECT_EQ(Stat(base_ + "/secret").st_mode & 0777, Stat(base_ + "/secret").st_mode & 0777u);
}

TEST_F(CopyTreeTest, FifosAndSocketsDoNotBlock) {
  ASSERT_EQ(mkfifo(From("fifo").c_str(), 0640), 0);
  ASSERT_EQ(mknod(From("socket").c_str(), S_IFSOCK | 0600, 0), 0);
  ASSERT_EQ(Copy(), 0);
  EXPECT_TRUE(S_ISFIFO(Stat(To("fifo")).st_mode));
  EXPECT_EQ(Stat(To("fifo")).st_mode & 0777, 0640u);
  EXPECT_TRUE(S_ISSOCK(Stat(To("socket")).st_mode));
}

TEST_F(CopyTreeTest, OwnersAlsoOfLinksAndOfTheTop) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to give files away";
  std::ofstream(From("file")) << "x";
  fs::create_symlink("file", From("link"));
  chmod(From("file").c_str(), 06755);
  ASSERT_EQ(lchown(From("file").c_str(), 1234, 2345), 0);
  chmod(From("file").c_str(), 06755);
  ASSERT_EQ(lchown(From("link").c_str(), 55, 66), 0);
  ASSERT_EQ(lchown(From("").c_str(), 77, 88), 0);
  ASSERT_EQ(Copy(), 0);
  EXPECT_EQ(Stat(To("file")).st_uid, 1234u);
  EXPECT_EQ(Stat(To("file")).st_gid, 2345u);
  EXPECT_EQ(Stat(To("file")).st_mode & 07777, 06755u);  // chown would have cleared it
  EXPECT_EQ(Stat(To("link")).st_uid, 55u);
  EXPECT_EQ(Stat(To("")).st_uid, 77u);
  EXPECT_EQ(Stat(To("")).st_gid, 88u);
}

TEST_F(CopyTreeTest, DeviceNumbers) {
  if (geteuid() != 0) GTEST_SKIP() << "needs CAP_MKNOD";
  if (mknod(From("device").c_str(), S_IFCHR | 0600, makedev(259, 70000)) < 0)
    GTEST_SKIP() << "no devices may be made here";
  ASSERT_EQ(Copy(), 0);
  EXPECT_TRUE(S_ISCHR(Stat(To("device")).st_mode));
  EXPECT_EQ(Stat(To("device")).st_rdev, makedev(259, 70000));
}

TEST_F(CopyTreeTest, ExistingNamesAreNotWrittenThrough) {
  std::ofstream(base_ + "/victim") << "kept";
  std::ofstream(From("name")) << "evil";
  fs::create_symlink(base_ + "/victim", To("name"));
  EXPECT_EQ(Copy(), -EEXIST);
  EXPECT_EQ(Read(base_ + "/victim"), "kept");
}

TEST_F(CopyTreeTest, BottomlessTreesAreAnError) {
  std::string path = From("");
  for (int i = 0; i < 135; ++i) path += "d/";
  fs::create_directories(path);
  EXPECT_EQ(Copy(), -ELOOP);
}

}  // namespace kiste::isolation::launcher
