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

TEST(Error, TextNamesCallObjectAndErrno) {
  Error error = SystemError(ENOENT, "open /x").error();
  EXPECT_EQ(error.Text(), "open /x: No such file or directory (ENOENT)");
  EXPECT_EQ(std::move(error).With("load state").Text(),
            "load state: open /x: No such file or directory (ENOENT)");
}

}  // namespace kiste
