// SPDX-License-Identifier: Apache-2.0
#include "sys/system_v.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

#include "base/defer.h"

namespace kiste::sys {

namespace {

key_t FreeKey() { return 0x6b690000 + (getpid() & 0xffff); }

}  // namespace

TEST(SystemV, ASegmentIsSharedUntilItIsRemoved) {
  int id = MakeSegment(FreeKey(), 4096, 0600).value();
  Defer remove([&] { static_cast<void>(RemoveSegment(id)); });
  EXPECT_EQ(MakeSegment(FreeKey(), 4096, 0600).error().errno_value, EEXIST);
  void* one = AttachSegment(id).value();
  void* other = AttachSegment(id).value();
  std::strcpy(static_cast<char*>(one), "kiste");
  EXPECT_STREQ(static_cast<char*>(other), "kiste");
  EXPECT_TRUE(DetachSegment(one));
  EXPECT_TRUE(DetachSegment(other));
  EXPECT_FALSE(DetachSegment(other));
}

TEST(SystemV, ASemaphoreHasTheValueThatWasSet) {
  int id = MakeSemaphores(FreeKey(), 2, 0600).value();
  ASSERT_TRUE(SetSemaphore(id, 1, 42));
  EXPECT_EQ(SemaphoreValue(id, 0).value(), 0);
  EXPECT_EQ(SemaphoreValue(id, 1).value(), 42);
  EXPECT_TRUE(RemoveSemaphores(id));
  EXPECT_EQ(SemaphoreValue(id, 1).error().Call(), "semctl");
}

TEST(SystemV, ANewQueueIsEmpty) {
  int id = MakeMessages(FreeKey(), 0600).value();
  EXPECT_EQ(MessageCount(id).value(), 0U);
  EXPECT_TRUE(RemoveMessages(id));
  EXPECT_FALSE(MessageCount(id));
}

}  // namespace kiste::sys
