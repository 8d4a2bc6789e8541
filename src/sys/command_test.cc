// SPDX-License-Identifier: Apache-2.0
#include "sys/command.h"

#include <gtest/gtest.h>

namespace kiste::sys {
namespace {

using std::chrono::milliseconds, std::chrono::seconds;

TEST(RunCommand, GivesTheCodeAndBothStreams) {
  auto result = RunCommand({"sh", "-c", "echo one; echo two >&2; exit 3"}, seconds(30));
  ASSERT_TRUE(result) << result.error().Text();
  EXPECT_EQ(result->code, 3);
  EXPECT_EQ(result->output, "one\ntwo\n");
}

TEST(RunCommand, NamesAProgramThatIsNotThere) {
  auto result = RunCommand({"kiste-no-such-program"}, seconds(30));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().errno_value, ENOENT);
  EXPECT_EQ(result.error().operation, "execve kiste-no-such-program");
}

TEST(RunCommand, KillsWhatDoesNotEnd) {
  auto result = RunCommand({"sleep", "60"}, milliseconds(50));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kTimeout);
}

}  // namespace
}  // namespace kiste::sys
