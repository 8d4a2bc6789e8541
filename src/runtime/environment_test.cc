// SPDX-License-Identifier: Apache-2.0
#include "runtime/environment.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

namespace kiste::runtime {

namespace {

class ListenFdsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    TearDown();
    setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
  }
  void TearDown() override {
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
  }
  static std::vector<std::string> Added(unsigned preserve_fds) {
    std::vector<std::string> env = {"A=1"};
    AddListenFds(preserve_fds, env);
    EXPECT_EQ(env[0], "A=1");
    env.erase(env.begin());
    return env;
  }
};

using Variables = std::vector<std::string>;

}  // namespace

TEST(TidyEnvironment, TheLastValueCountsAndStandsOnce) {
  EXPECT_EQ(TidyEnvironment({"A=1", "B=2", "A=3", "A"}), (Variables{"B=2", "A"}));
  EXPECT_EQ(TidyEnvironment({"A=1", "AB=2", "=x"}), (Variables{"A=1", "AB=2", "=x"}));
}

TEST(TidyEnvironment, AnEmptyHomeIsNone) {
  EXPECT_EQ(TidyEnvironment({"HOME=/x", "HOME="}), Variables{});
  EXPECT_EQ(TidyEnvironment({"HOME=", "HOME=/x"}), Variables{"HOME=/x"});
  EXPECT_EQ(TidyEnvironment({"HOMES="}), Variables{"HOMES="});
}

TEST_F(ListenFdsTest, NothingAnnouncedNothingAdded) {
  EXPECT_EQ(AnnouncedListenFds(), 0u);
  EXPECT_EQ(Added(5), Variables{});
}

TEST_F(ListenFdsTest, AnnouncedOnesAreHandedOver) {
  setenv("LISTEN_FDS", "2", 1);
  EXPECT_EQ(AnnouncedListenFds(), 2u);
  EXPECT_EQ(Added(2), (Variables{"LISTEN_FDS=2", "LISTEN_PID=1"}));
  EXPECT_EQ(Added(3), (Variables{"LISTEN_FDS=2", "LISTEN_PID=1"}));
  setenv("LISTEN_FDNAMES", "a:b", 1);
  EXPECT_EQ(Added(2), (Variables{"LISTEN_FDS=2", "LISTEN_PID=1", "LISTEN_FDNAMES=a:b"}));
}

TEST_F(ListenFdsTest, NotWhenTheyAreClosedOnTheWay) {
  setenv("LISTEN_FDS", "2", 1);
  EXPECT_EQ(Added(1), Variables{});
  EXPECT_EQ(Added(0), Variables{});
}

TEST_F(ListenFdsTest, NotWhenTheyAreForAnotherProcess) {
  setenv("LISTEN_FDS", "2", 1);
  for (const char* text : {"1", "", "x", "-1"}) {
    setenv("LISTEN_PID", text, 1);
    EXPECT_EQ(AnnouncedListenFds(), 0u) << text;
  }
  unsetenv("LISTEN_PID");
  EXPECT_EQ(AnnouncedListenFds(), 0u);
}

TEST_F(ListenFdsTest, NonsenseIsNone) {
  for (const char* text : {"", "x", "-1", "0", "1 ", "100000", "99999999999999999999"}) {
    setenv("LISTEN_FDS", text, 1);
    EXPECT_EQ(AnnouncedListenFds(), 0u) << text;
  }
}

}  // namespace kiste::runtime
