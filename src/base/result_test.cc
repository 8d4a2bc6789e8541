// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace kiste {

namespace {

Result<std::unique_ptr<int>> Half(int number) {
  if (number % 2 != 0) return Invalid("an odd number");
  return std::make_unique<int>(number / 2);
}

Result<int> Quarter(int number) {
  auto half = TRY(Half(number));
  auto quarter = TRY_CONTEXT(Half(*half), "second half");
  return *quarter;
}

}  // namespace

TEST(Result, TryMovesTheValueOut) { EXPECT_EQ(Quarter(12).value(), 3); }

TEST(Result, TryContextNamesTheStep) {
  EXPECT_EQ(Quarter(3).error().Text(), "an odd number");
  EXPECT_EQ(Quarter(6).error().Text(), "second half: an odd number");
}

TEST(Error, CallAndObjectAreFoundBehindTheContext) {
  Error error = SystemError(ENOENT, "open /x y").error();
  EXPECT_EQ(error.Call(), "open");
  EXPECT_EQ(error.Object(), "/x y");
  error = std::move(error).With("load state").With("start");
  EXPECT_EQ(error.Text(), "start: load state: open /x y: no such file or directory (ENOENT)");
  EXPECT_EQ(error.Call(), "open");
  EXPECT_EQ(error.Object(), "/x y");
}

TEST(Error, ACallWithoutAnObjectHasNone) {
  Error error = SystemError(EPERM, "setsid").error();
  EXPECT_EQ(error.Call(), "setsid");
  EXPECT_EQ(error.Object(), "");
}

TEST(Error, AGivenCallLeavesTheWordsToTheObject) {
  Error error = SystemError(ENOENT, "mount proc on /proc").error();
  error.call = "openat2";
  EXPECT_EQ(error.Call(), "openat2");
  EXPECT_EQ(error.Object(), "mount proc on /proc");
  error.detail = "destination /proc";
  EXPECT_EQ(error.Object(), "destination /proc");
}

TEST(Error, TheObjectOfAWrongInputIsTheField) {
  Error error = Invalid("config.json: process.cwd: expected an absolute path, found \"x\"").error();
  EXPECT_EQ(error.Call(), "");
  EXPECT_EQ(error.Object(), "config.json: process.cwd");
  EXPECT_EQ(Invalid("expected one").error().With("--all").Object(), "--all");
  EXPECT_EQ(Invalid("expected one").error().Object(), "");
  EXPECT_EQ(Fail(ErrorKind::kState, "it is paused").error().Object(), "");
}

TEST(Error, TheFirstStepStays) {
  Result<int> failed = Invalid("an odd number");
  auto outer = AtStep(AtStep(std::move(failed), "inner"), "outer");
  EXPECT_STREQ(outer.error().step, "inner");
  EXPECT_EQ(AtStep(Result<int>(3), "any").value(), 3);
}

TEST(Error, IsAsCheapAsItsTwoStrings) { EXPECT_LE(sizeof(Error), 2 * sizeof(std::string) + 32); }

TEST(Error, TextNamesCallObjectAndErrno) {
  Error error = SystemError(ENOENT, "open /x").error();
  EXPECT_EQ(error.Text(), "open /x: no such file or directory (ENOENT)");
  EXPECT_EQ(std::move(error).With("load state").Text(),
            "load state: open /x: no such file or directory (ENOENT)");
}

}  // namespace kiste
