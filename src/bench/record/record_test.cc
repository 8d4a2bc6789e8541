// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "bench/record/database.h"
#include "bench/record/read.h"
#include "bench/record/write.h"

namespace kiste::bench {
namespace {

class RecordTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/recordXXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = folder_ + "/r.sqlite";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  int64_t Count(const std::string& table) {
    auto database = Database::Open(path_, Database::Mode::kRead);
    EXPECT_TRUE(database) << database.error().Text();
    auto ask = database->Prepare("SELECT count(*) FROM " + table);
    EXPECT_TRUE(ask && ask->Step());
    return ask->Int(0);
  }
  std::string folder_, path_;
};

TEST_F(RecordTest, ATrialWithAllOfItsOutcome) {
  auto writer = Writer::Open(path_);
  ASSERT_TRUE(writer) << writer.error().Text();
  ASSERT_TRUE(
      writer->BeginRun({.name = "a", .command = "x", .version = "1", .seed = 7, .rounds = 2}));
  ASSERT_TRUE(writer->AddHost("kernel", "Linux"));
  auto target = writer->AddTarget({.name = "bare", .title = "t", .isolation = "none"});
  auto workload = writer->AddWorkload({.name = "cpu", .title = "t", .axiom = "performance"});
  ASSERT_TRUE(target && workload);
  Outcome outcome;
  outcome.Add("cpu/primes", "ns", 1.5);
  outcome.AddAt({"bytes", 4096}, "allocate", "ns", 2);
  outcome.findings.push_back({"p", "sees", "it's; --"});
  outcome.gaps.push_back({"m", "why"});
  ASSERT_TRUE(writer->AddTrial(
      {.target = *target, .workload = *workload, .round = 1, .status = "ok"}, outcome));
  EXPECT_TRUE(writer->Has(*target, *workload, 1).value());
  EXPECT_FALSE(writer->Has(*target, *workload, 2).value());
  // The same trial again is refused, and leaves nothing of itself.
  EXPECT_FALSE(writer->AddTrial(
      {.target = *target, .workload = *workload, .round = 1, .status = "ok"}, outcome));
  ASSERT_TRUE(writer->EndRun());
  EXPECT_EQ(Count("value"), 2);
  EXPECT_EQ(Count("finding"), 1);
  EXPECT_EQ(Count("gap"), 1);
  EXPECT_EQ(Count("trial"), 1);
  EXPECT_EQ(Count("run WHERE ended IS NOT NULL"), 1);
}

TEST_F(RecordTest, ANameIsTakenOnceAndCanBeGoneOnWith) {
  auto writer = Writer::Open(path_);
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->BeginRun({.name = "a", .seed = 42, .rounds = 9}));
  auto again = writer->BeginRun({.name = "a"});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::kExists);
  ASSERT_TRUE(writer->Resume("a"));
  auto target = writer->AddTarget({.name = "bare", .description = "the text"});
  ASSERT_TRUE(target);
  auto database = Database::Open(path_, Database::Mode::kRead);
  ASSERT_TRUE(database);
  auto run = ReadRun(*database, "a");
  ASSERT_TRUE(run) << run.error().Text();
  EXPECT_EQ(run->seed, 42u);
  EXPECT_EQ(run->rounds, 9);
  EXPECT_FALSE(run->warm_up);
  EXPECT_EQ(run->targets.at(0).description, "the text");
  EXPECT_EQ(writer->Resume("b").error().kind, ErrorKind::kNotFound);
}

TEST_F(RecordTest, WhatIsNoRecordIsRefusedAndLeftAsItWas) {
  EXPECT_EQ(Database::Open(path_, Database::Mode::kRead).error().kind, ErrorKind::kNotFound);
  std::ofstream(path_) << std::string(5000, 'x');
  EXPECT_FALSE(Database::Open(path_, Database::Mode::kWrite));
  EXPECT_EQ(std::filesystem::file_size(path_), 5000u);
}

TEST_F(RecordTest, AnotherVersionIsRefused) {
  {
    auto writer = Writer::Open(path_);
    ASSERT_TRUE(writer);
    auto database = Database::Open(path_, Database::Mode::kWrite);
    ASSERT_TRUE(database->Execute("PRAGMA user_version = 99"));
  }
  auto database = Database::Open(path_, Database::Mode::kWrite);
  ASSERT_FALSE(database);
  EXPECT_NE(database.error().Text().find("version 99"), std::string::npos);
}

}  // namespace
}  // namespace kiste::bench
