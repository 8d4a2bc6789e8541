// SPDX-License-Identifier: Apache-2.0
#include "isolation/namespaces/id_maps.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/strings.h"
#include "sys/file.h"

namespace kiste::isolation {

namespace {

// A process in a new user namespace whose ids are not mapped yet.
class IdMapsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    pid_ = fork();
    if (pid_ == 0) {
      char answer = unshare(CLONE_NEWUSER) == 0 ? 'y' : 'n';
      if (write(ready[1], &answer, 1) != 1) _exit(1);
      alarm(20);
      while (true) pause();
    }
    char answer = 0;
    EXPECT_EQ(read(ready[0], &answer, 1), 1);
    close(ready[0]);
    close(ready[1]);
    if (answer != 'y') GTEST_SKIP() << "this host lets nobody make user namespaces";
    plan_.uid_map = {{0, geteuid(), 1}};
    plan_.gid_map = {{0, getegid(), 1}};
  }
  void TearDown() override {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  // A file of /proc/<pid> with its blanks made single.
  std::string ProcFile(const char* name) const {
    std::string text = sys::ReadFileAt(AT_FDCWD, StrCat("/proc/", pid_, "/", name)).value();
    std::string squeezed;
    for (char c : text) {
      if (c == ' ' && (squeezed.empty() || squeezed.back() == ' ' || squeezed.back() == '\n'))
        continue;
      squeezed += c;
    }
    return squeezed;
  }

  pid_t pid_ = -1;
  NamespacePlan plan_;
};

}  // namespace

TEST_F(IdMapsTest, WritesBothMaps) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to map ranges";
  plan_.uid_map = {{0, 100000, 1000}, {1000, 0, 1}};
  plan_.gid_map = {{0, 200000, 500}};
  auto written = WriteIdMaps(pid_, plan_);
  ASSERT_TRUE(written) << written.error().Text();
  EXPECT_EQ(ProcFile("uid_map"), "0 100000 1000\n1000 0 1\n");
  EXPECT_EQ(ProcFile("gid_map"), "0 200000 500\n");
  EXPECT_EQ(ProcFile("setgroups"), "allow\n");
}

TEST_F(IdMapsTest, DeniesSetgroupsBeforeTheGroups) {
  plan_.deny_setgroups = true;
  auto written = WriteIdMaps(pid_, plan_);
  ASSERT_TRUE(written) << written.error().Text();
  EXPECT_EQ(ProcFile("setgroups"), "deny\n");
  EXPECT_EQ(ProcFile("gid_map"), StrCat("0 ", getegid(), " 1\n"));
}

TEST_F(IdMapsTest, ErrorsNameTheField) {
  plan_.uid_map = {{0, 0, 0}};
  auto written = WriteIdMaps(pid_, plan_);
  ASSERT_FALSE(written);
  EXPECT_TRUE(written.error().Text().starts_with("linux.uidMappings: write /proc/"))
      << written.error().Text();
  plan_.uid_map = {{0, geteuid(), 1}};
  plan_.gid_map = {{0, 0, 0}};
  written = WriteIdMaps(pid_, plan_);
  ASSERT_FALSE(written);
  EXPECT_TRUE(written.error().Text().starts_with("linux.gidMappings: ")) << written.error().Text();
}

TEST_F(IdMapsTest, MissingHelperIsNamed) {
  const char* path = getenv("PATH");
  std::string before = path != nullptr ? path : "";
  setenv("PATH", "/nonexistent", 1);
  plan_.use_newidmap = true;
  auto written = WriteIdMaps(pid_, plan_);
  setenv("PATH", before.c_str(), 1);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().errno_value, ENOENT);
  EXPECT_TRUE(written.error().Text().starts_with("execve newuidmap")) << written.error().Text();
}

TEST_F(IdMapsTest, HelpersRefusalIsTold) {
  if (access("/usr/bin/newuidmap", X_OK) != 0)
    GTEST_SKIP() << "no newuidmap here (Debian's package uidmap)";
  plan_.use_newidmap = true;
  plan_.uid_map = {{0, 4000000000u, 3}};  // nobody's subordinate ids
  auto written = WriteIdMaps(pid_, plan_);
  ASSERT_FALSE(written);
  std::string text = written.error().Text();
  EXPECT_TRUE(text.starts_with(
      StrCat("linux.uidMappings: newuidmap ", pid_, " 0 4000000000 3: \"newuidmap: ")))
      << text;
  EXPECT_NE(text.find("/etc/subuid"), std::string::npos);
  EXPECT_EQ(ProcFile("uid_map"), "");
}

}  // namespace kiste::isolation
