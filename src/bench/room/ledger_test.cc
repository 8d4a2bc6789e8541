// SPDX-License-Identifier: Apache-2.0
#include "bench/room/ledger.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace kiste::bench {
namespace {

namespace fs = std::filesystem;

class LedgerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/ledgersXXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
  }
  std::string folder_;
};

TEST_F(LedgerTest, WhatALedgerNamesIsTakenAway) {
  fs::create_directories(folder_ + "/kiste-bench-x/deep/er");
  Write("x.ledger", "folder " + folder_ + "/kiste-bench-x\n");
  auto cleaned = CleanUp(folder_);
  ASSERT_TRUE(cleaned) << cleaned.error().Text();
  ASSERT_EQ(cleaned->size(), 1u);
  EXPECT_EQ(cleaned->front().run, "x");
  EXPECT_FALSE(fs::exists(folder_ + "/kiste-bench-x"));
  EXPECT_FALSE(fs::exists(folder_ + "/x.ledger"));
}

TEST_F(LedgerTest, NothingElseIsTouched) {
  fs::create_directories(folder_ + "/precious");
  Write("x.ledger", "folder " + folder_ + "/precious\n");
  auto cleaned = CleanUp(folder_);
  ASSERT_FALSE(cleaned);
  EXPECT_NE(cleaned.error().Text().find("precious"), std::string::npos);
  EXPECT_TRUE(fs::exists(folder_ + "/precious"));
  EXPECT_TRUE(fs::exists(folder_ + "/x.ledger"));
}

TEST_F(LedgerTest, APathThatLeavesIsRefused) {
  Write("x.ledger", "folder /kiste-bench-x/../kiste-bench-y\n");
  EXPECT_FALSE(CleanUp(folder_));
}

TEST_F(LedgerTest, NoFolderIsNothingToDo) {
  auto cleaned = CleanUp(folder_ + "/none");
  ASSERT_TRUE(cleaned);
  EXPECT_TRUE(cleaned->empty());
}

}  // namespace
}  // namespace kiste::bench
