// SPDX-License-Identifier: Apache-2.0
#include "sys/mount.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

namespace kiste::sys {

namespace {

constexpr int kCannot = 77;

// Runs `deed` in a child with a mount namespace of its own, in which `root` is a shared tmpfs;
// its exit code.
int InNamespace(const std::string& root, const std::function<int()>& deed) {
  pid_t pid = fork();
  if (pid == 0) {
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0 ||
        mount("tmpfs", root.c_str(), "tmpfs", 0, nullptr) < 0 ||
        mount("none", root.c_str(), nullptr, MS_SHARED, nullptr) < 0) {
      _exit(kCannot);
    }
    _exit(deed());
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

class CloneTreeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs CAP_SYS_ADMIN to mount";
    path_ = std::filesystem::temp_directory_path() / "kiste-mount-XXXXXX";
    ASSERT_NE(mkdtemp(path_.data()), nullptr);
  }
  void TearDown() override {
    if (!path_.empty()) std::filesystem::remove_all(path_);
  }
  std::string path_;
};

#define KISTE_EXPECT_OR_SKIP(code)                                            \
  do {                                                                        \
    int code_ = (code);                                                       \
    if (code_ == kCannot) GTEST_SKIP() << "cannot mount in a namespace here"; \
    EXPECT_EQ(code_, 0);                                                      \
  } while (false)

}  // namespace

TEST_F(CloneTreeTest, RecursiveTakesWhatIsMountedBelow) {
  KISTE_EXPECT_OR_SKIP(InNamespace(path_, [&] {
    std::string below = path_ + "/below";
    if (mkdir(below.c_str(), 0755) < 0 || mount("tmpfs", below.c_str(), "tmpfs", 0, nullptr) < 0)
      return kCannot;
    if (mkdir((below + "/inside").c_str(), 0755) < 0) return kCannot;
    auto all = CloneTree(path_, Depth::kRecursive);
    auto one = CloneTree(path_, Depth::kThis);
    if (!all || !one) return 1;
    if ((fcntl(all->get(), F_GETFD) & FD_CLOEXEC) == 0) return 2;
    if (faccessat(all->get(), "below/inside", F_OK, 0) != 0) return 3;
    if (faccessat(one->get(), "below", F_OK, 0) != 0) return 4;
    if (faccessat(one->get(), "below/inside", F_OK, 0) == 0) return 5;
    return 0;
  }));
}

TEST_F(CloneTreeTest, NothingComesBackToTheOriginal) {
  KISTE_EXPECT_OR_SKIP(InNamespace(path_, [&] {
    std::string original = path_ + "/original", attached = path_ + "-attached";
    if (mkdir(original.c_str(), 0755) < 0 || mkdir((original + "/point").c_str(), 0755) < 0)
      return kCannot;
    // On a mount of its own outside the shared one, to which the clone would be a peer.
    if (mkdir(attached.c_str(), 0755) < 0) return kCannot;
    auto clone = CloneTree(path_, Depth::kRecursive);
    int code = 0;
    if (!clone) {
      code = 1;
    } else if (move_mount(clone->get(), "", AT_FDCWD, attached.c_str(), MOVE_MOUNT_F_EMPTY_PATH) <
               0) {
      code = 2;
    } else {
      std::string point = attached + "/original/point";
      if (mount("tmpfs", point.c_str(), "tmpfs", 0, nullptr) < 0) code = 3;
      if (code == 0 && mkdir((point + "/inside").c_str(), 0755) < 0) code = 4;
      if (code == 0 && access((original + "/point/inside").c_str(), F_OK) == 0) code = 5;
      umount2(attached.c_str(), MNT_DETACH);
    }
    rmdir(attached.c_str());
    return code;
  }));
}

TEST_F(CloneTreeTest, ErrorNamesThePath) {
  auto clone = CloneTree(path_ + "/none", Depth::kThis);
  ASSERT_FALSE(clone);
  EXPECT_EQ(clone.error().errno_value, ENOENT);
  EXPECT_TRUE(clone.error().Text().starts_with("open_tree " + path_ + "/none"));
}

}  // namespace kiste::sys
