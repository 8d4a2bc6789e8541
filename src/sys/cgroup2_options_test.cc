// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup2_options.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include "sys/mountinfo.h"

namespace kiste::sys {
namespace {

std::string OptionsNow(std::string* point = nullptr) {
  auto mounts = MountsOf(getpid()).value();
  for (const auto& mount : mounts) {
    if (mount.type != "cgroup2") continue;
    if (point != nullptr) *point = mount.point;
    return mount.options;
  }
  return {};
}

TEST(Cgroup2Options, WhatIsAsItWasIsLeftAlone) {
  auto options = Cgroup2Options::Read();
  ASSERT_TRUE(options) << options.error().Text();
  std::string before = OptionsNow();
  EXPECT_TRUE(options->Restore());
  EXPECT_EQ(OptionsNow(), before);
}

TEST(Cgroup2Options, WhatWasDroppedIsSetAgain) {
  std::string point, before = OptionsNow(&point);
  if (before.find("nsdelegate") == std::string::npos) GTEST_SKIP() << "no option to drop here";
  auto options = Cgroup2Options::Read();
  ASSERT_TRUE(options) << options.error().Text();
  char place[] = "/tmp/kiste-cgroup2-XXXXXX";
  ASSERT_NE(mkdtemp(place), nullptr);
  bool mounted = mount("none", place, "cgroup2", 0, nullptr) == 0;
  if (mounted) umount2(place, MNT_DETACH);
  rmdir(place);
  if (!mounted || OptionsNow() == before) GTEST_SKIP() << "nothing can be mounted here";
  auto restored = options->Restore();
  EXPECT_TRUE(restored) << restored.error().Text();
  EXPECT_EQ(OptionsNow(), before);
}

}  // namespace
}  // namespace kiste::sys
