// SPDX-License-Identifier: Apache-2.0
#include "sys/inherited_descriptors.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kiste::sys {

namespace {

bool IsNull(int fd) {
  struct stat status{};
  return fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
}

// What a child finds that calls it with only 1 and 7 open: bits for what is not as it should be.
int Findings() {
  int file = open("/", O_RDONLY | O_DIRECTORY);
  dup2(file, 1);
  dup2(file, 7);
  close(0);
  close(2);
  if (!TidyInheritedDescriptors()) return 1;
  int found = 0;
  if (!IsNull(0) || !IsNull(2)) found |= 2;
  if (IsNull(1) || fcntl(1, F_GETFD) != 0 || fcntl(0, F_GETFD) != 0) found |= 4;
  if (fcntl(7, F_GETFD) != FD_CLOEXEC) found |= 8;
  return found;
}

}  // namespace

TEST(InheritedDescriptors, StreamsAreOpenAndTheRestIsNotHandedOn) {
  pid_t pid = fork();
  if (pid == 0) _exit(Findings());
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace kiste::sys
