// SPDX-License-Identifier: Apache-2.0
#include "sys/affinity.h"

#include <gtest/gtest.h>
#include <sched.h>

namespace kiste::sys {

TEST(Affinity, IsWhatTheCLibrarySees) {
  auto mask = Affinity().value();
  for (unsigned cpu = 0; cpu < 64; ++cpu) {
    cpu_set_t set;
    ASSERT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
    EXPECT_EQ((mask[0] >> cpu & 1) != 0, CPU_ISSET(cpu, &set)) << cpu;
  }
}

TEST(Affinity, OneCpuAndBack) {
  auto before = Affinity().value();
  uint64_t lowest = before[0] & -before[0];
  if (lowest == 0) GTEST_SKIP() << "this process may run on none of the first 64 cpus";
  ASSERT_TRUE(SetAffinity({lowest}));
  EXPECT_EQ(Affinity().value()[0], lowest);
  ASSERT_TRUE(SetAffinity(before));
  EXPECT_EQ(Affinity().value(), before);
}

TEST(Affinity, CpusThatTheHostLacksAreAnError) {
  std::vector<uint64_t> far(1024);
  far.back() = uint64_t{1} << 63;
  EXPECT_EQ(SetAffinity(far).error().errno_value, EINVAL);
}

}  // namespace kiste::sys
