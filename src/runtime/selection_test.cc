// SPDX-License-Identifier: Apache-2.0
#include "runtime/selection.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

namespace kiste::runtime {

namespace {

class SelectionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / "kiste-selection-XXXXXX";
    ASSERT_NE(mkdtemp(path_.data()), nullptr);
    for (const char* id : {"web-1", "web-2", "db-1"})
      std::filesystem::create_directory(path_ + "/" + id);
  }
  void TearDown() override { std::filesystem::remove_all(path_); }

  // The ids that were met, and the error if there is one. Those in `bad` fail.
  std::string Run(const std::string& expression, const std::string& bad = "") {
    auto store = Store::OpenExisting(path_).value();
    std::string met;
    auto status = ForEachMatching(
        store, expression, [&](std::string_view text) { warnings_ += text; },
        [&](const std::string& id) -> Status {
          met += id + " ";
          if (bad.find(id) != std::string::npos) return Fail(ErrorKind::kState, "no");
          return {};
        });
    return status ? met : met + status.error().Text();
  }
  std::string path_, warnings_;
};

}  // namespace

TEST_F(SelectionTest, MeetsWhatMatchesInOrder) {
  EXPECT_EQ(Run("web"), "web-1 web-2 ");
  EXPECT_EQ(Run("-1$"), "db-1 web-1 ");
  EXPECT_EQ(Run("nothing"), "");
}

TEST_F(SelectionTest, AFailureDoesNotStopTheRest) {
  EXPECT_EQ(Run("web", "web-1"),
            "web-1 web-2 --regex: 1 of 2 containers failed, the first with: no");
  EXPECT_EQ(warnings_, "web-1: no");
  EXPECT_EQ(Run("^db-1$", "db-1"), "db-1 no");
}

TEST_F(SelectionTest, AMistakeMeetsNobody) {
  EXPECT_TRUE(Run("(").starts_with("--regex: regular expression")) << Run("(");
}

}  // namespace kiste::runtime
