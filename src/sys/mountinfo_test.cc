// SPDX-License-Identifier: Apache-2.0
#include "sys/mountinfo.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "sys/file.h"

namespace kiste::sys {
namespace {

TEST(MountInfo, ReadsIdsAndPlaces) {
  auto mounts = ParseMountInfo(
      "21 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
      "36 21 0:30 / /a\\040b\\134c rw - tmpfs tmpfs rw\n",
      "x");
  ASSERT_TRUE(mounts) << mounts.error().Text();
  ASSERT_EQ(mounts->size(), 2U);
  EXPECT_EQ((*mounts)[0].id, 21U);
  EXPECT_EQ((*mounts)[0].point, "/");
  EXPECT_EQ((*mounts)[0].type, "ext4");
  EXPECT_EQ((*mounts)[0].options, "rw");
  EXPECT_EQ((*mounts)[1].point, "/a b\\c");
  EXPECT_EQ((*mounts)[1].type, "tmpfs");
}

TEST(MountInfo, RefusesAnotherForm) {
  EXPECT_FALSE(ParseMountInfo("no mount\n", "x"));
  EXPECT_FALSE(ParseMountInfo("12 13\n", "x"));
  EXPECT_FALSE(ParseMountInfo("21 1 8:1 / / rw shared:1 -\n", "x"));
}

TEST(MountInfo, FindsTheMountOfAFile) {
  auto proc = Open("/proc", O_PATH);
  auto file = Open("/proc/self", O_PATH);
  auto mounts = MountsOf(getpid());
  ASSERT_TRUE(proc && file && mounts);
  auto of_proc = MountOf(proc->get(), "/proc");
  auto of_file = MountOf(file->get(), "/proc/self");
  ASSERT_TRUE(of_proc && of_file);
  EXPECT_TRUE(of_proc->is_root);
  EXPECT_FALSE(of_file->is_root);
  EXPECT_TRUE(S_ISDIR(of_proc->mode));
  auto place = std::ranges::find(*mounts, of_proc->id, &MountPlace::id);
  ASSERT_NE(place, mounts->end());
  EXPECT_EQ(place->point, "/proc");
}

}  // namespace
}  // namespace kiste::sys
