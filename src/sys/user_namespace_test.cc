// SPDX-License-Identifier: Apache-2.0
#include "sys/user_namespace.h"

#include <gtest/gtest.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/file.h"

namespace kiste::sys {

TEST(UserNamespace, HasTheMapsAndLeavesNoChild) {
  if (geteuid() != 0) GTEST_SKIP() << "not root: other ids cannot be mapped";
  auto made = MakeUserNamespace("0 100000 10\n", "0 200000 5\n");
  ASSERT_TRUE(made) << made.error().Text();
  EXPECT_EQ(ioctl(made->get(), NS_GET_NSTYPE), CLONE_NEWUSER);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
  pid_t child = fork();
  if (child == 0) {
    if (setns(made->get(), CLONE_NEWUSER) != 0) _exit(1);
    auto map = ReadFileAt(AT_FDCWD, "/proc/self/gid_map", 4096);
    _exit(map && map->find("200000") != std::string::npos ? 0 : 2);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(UserNamespace, MapsThatOverlapAreAnError) {
  if (geteuid() != 0) GTEST_SKIP() << "not root: other ids cannot be mapped";
  EXPECT_FALSE(MakeUserNamespace("0 1 10\n0 100 10\n", "0 0 1\n"));
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
}

}  // namespace kiste::sys
