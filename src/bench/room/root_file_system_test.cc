// SPDX-License-Identifier: Apache-2.0
#include "bench/room/root_file_system.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace kiste::bench {
namespace {

namespace fs = std::filesystem;

class RootFileSystemTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/rootXXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string folder_;
};

TEST_F(RootFileSystemTest, HasWhatIsAskedFor) {
  auto root = MakeRootFileSystem(folder_ + "/root", "image",
                                 {.load = "/bin/true", .programs = {"ls"}, .filler = 2500000});
  ASSERT_TRUE(root) << root.error().Text();
  EXPECT_TRUE(fs::exists(root->path + "/load"));
  EXPECT_TRUE(fs::exists(root->path + "/proc"));
  EXPECT_TRUE(fs::exists(root->path + "/lib64/ld-linux-x86-64.so.2"));
  uintmax_t bytes = 0;
  for (const auto& file : fs::directory_iterator(root->path + "/filler")) bytes += file.file_size();
  EXPECT_EQ(bytes, 2500000u);
}

TEST_F(RootFileSystemTest, AMissingProgramIsNamed) {
  auto root = MakeRootFileSystem(folder_ + "/root", "image",
                                 {.load = "/bin/true", .programs = {"no-such-program"}});
  ASSERT_FALSE(root);
  EXPECT_EQ(root.error().kind, ErrorKind::kNotFound);
  EXPECT_NE(root.error().Text().find("no-such-program"), std::string::npos);
}

}  // namespace
}  // namespace kiste::bench
