// SPDX-License-Identifier: Apache-2.0
#include "sys/root_path.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "sys/file.h"

namespace kiste::sys {
namespace {

namespace fs = std::filesystem;

class RootPath : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/kiste-root-XXXXXX";
    ASSERT_NE(mkdtemp(pattern), nullptr);
    folder_ = pattern;
    fs::create_directories(folder_ / "root/etc");
    fs::create_directories(folder_ / "outside");
    auto opened = Open(folder_ / "root", O_PATH | O_DIRECTORY);
    ASSERT_TRUE(opened);
    root_ = std::move(*opened);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path folder_;
  Fd root_;
};

TEST_F(RootPath, MakesWhatIsMissing) {
  ASSERT_TRUE(MakeInRoot(root_.get(), "/a/b/c", MountPointKind::kDirectory));
  EXPECT_TRUE(fs::is_directory(folder_ / "root/a/b/c"));
  ASSERT_TRUE(MakeInRoot(root_.get(), "a/b/file", MountPointKind::kFile));
  EXPECT_TRUE(fs::is_regular_file(folder_ / "root/a/b/file"));
}

TEST_F(RootPath, LeavesWhatIsThere) {
  ASSERT_TRUE(MakeInRoot(root_.get(), "/etc", MountPointKind::kFile));
  EXPECT_TRUE(fs::is_directory(folder_ / "root/etc"));
}

TEST_F(RootPath, LinksDoNotLeadOut) {
  fs::create_symlink("/../../outside", folder_ / "root/way");
  ASSERT_TRUE(MakeInRoot(root_.get(), "/way/made", MountPointKind::kDirectory).has_value() ||
              !fs::exists(folder_ / "outside/made"));
  EXPECT_FALSE(fs::exists(folder_ / "outside/made"));
  EXPECT_FALSE(OpenInRoot(root_.get(), "../../outside/none"));
}

TEST_F(RootPath, AFileInTheWayIsAnError) {
  ASSERT_TRUE(MakeInRoot(root_.get(), "/file", MountPointKind::kFile));
  EXPECT_FALSE(MakeInRoot(root_.get(), "/file/below", MountPointKind::kDirectory));
}

}  // namespace
}  // namespace kiste::sys
