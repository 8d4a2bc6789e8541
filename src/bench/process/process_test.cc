// SPDX-License-Identifier: Apache-2.0
#include "bench/process/process.h"

#include <gtest/gtest.h>

#include <csignal>

namespace kiste::bench {
namespace {

Deadline Soon() { return Deadline::In(std::chrono::seconds(20)); }

TEST(Process, OutputAndTime) {
  auto output = Succeed({.words = {"sh", "-c", "sleep 0.05; echo a; echo b"}}, Soon());
  ASSERT_TRUE(output) << output.error().Text();
  EXPECT_EQ(output->text, "a\nb\n");
  EXPECT_GE(output->took, std::chrono::milliseconds(50));
}

TEST(Process, AFailureHasCodeAndWords) {
  auto output = Succeed({.words = {"sh", "-c", "echo why >&2; exit 7"}}, Soon());
  ASSERT_FALSE(output);
  EXPECT_NE(output.error().Text().find("exit code 7: why"), std::string::npos)
      << output.error().Text();
}

TEST(Process, WhatIsNotThereIsNamed) {
  auto output = Succeed({.words = {"no-such-program"}}, Soon());
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().kind, ErrorKind::kNotFound);
  EXPECT_NE(output.error().Text().find("no-such-program"), std::string::npos);
}

TEST(Process, LinesOneByOne) {
  auto running = Running::Begin({.words = {"sh", "-c", "echo ready; echo more; sleep 60"}});
  ASSERT_TRUE(running) << running.error().Text();
  ASSERT_TRUE(running->WaitForLine("ready", Soon()));
  auto line = running->ReadLine(Soon());
  ASSERT_TRUE(line);
  EXPECT_EQ(line->value_or(""), "more");
  EXPECT_FALSE(running->HasEnded());
}

TEST(Process, TimeRunsOut) {
  auto running = Running::Begin({.words = {"sleep", "60"}});
  ASSERT_TRUE(running) << running.error().Text();
  auto ended = running->Wait(Deadline::In(std::chrono::milliseconds(20)));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ErrorKind::kTimeout);
}

TEST(Process, ItsEndEndsTheProcess) {
  pid_t pid = -1;
  {
    auto running = Running::Begin({.words = {"sleep", "60"}});
    ASSERT_TRUE(running) << running.error().Text();
    pid = running->pid();
    EXPECT_EQ(kill(pid, 0), 0);
  }
  EXPECT_NE(kill(pid, 0), 0);
}

TEST(Process, EnvironmentAndFolder) {
  auto output = Succeed({.words = {"sh", "-c", "echo $KISTE_WORD; pwd"},
                         .environment = {{"KISTE_WORD", "x y"}},
                         .folder = "/"},
                        Soon());
  ASSERT_TRUE(output) << output.error().Text();
  EXPECT_EQ(output->text, "x y\n/\n");
}

TEST(Process, ASignalIsACode) {
  auto running = Running::Begin({.words = {"sh", "-c", "kill -9 $$"}});
  ASSERT_TRUE(running) << running.error().Text();
  auto ended = running->Wait(Soon());
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, 137);
}

}  // namespace
}  // namespace kiste::bench
