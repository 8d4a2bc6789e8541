// SPDX-License-Identifier: Apache-2.0
#include "base/strings.h"

#include <gtest/gtest.h>

namespace kiste {

TEST(StrCat, JoinsStringsCharactersAndNumbers) {
  EXPECT_EQ(StrCat("a", 'b', 3, -4L, 5u, std::string("c")), "ab3-45c");
}

TEST(Split, KeepsEmptyPieces) {
  EXPECT_EQ(Split("a,,b", ',').size(), 3u);
  EXPECT_EQ(Split("", ',').size(), 1u);
}

TEST(Trim, RemovesSpaceAtBothEnds) {
  EXPECT_EQ(Trim(" \ta b\n"), "a b");
  EXPECT_EQ(Trim(" \n"), "");
}

TEST(ParseInt, WantsTheWholeText) {
  EXPECT_EQ(ParseInt("-12"), -12);
  EXPECT_EQ(ParseInt("12x"), std::nullopt);
  EXPECT_EQ(ParseInt(""), std::nullopt);
  EXPECT_EQ(ParseInt("9223372036854775808"), std::nullopt);
  EXPECT_EQ(ParseUint("18446744073709551615"), 18446744073709551615u);
  EXPECT_EQ(ParseUint("755", 8), 0755u);
}

TEST(UtcNow, HasAsManyDigitsAsAskedFor) {
  std::string now = UtcNow(9);
  EXPECT_EQ(now.size(), sizeof("2026-01-02T03:04:05.123456789Z") - 1);
  EXPECT_EQ(now[10], 'T');
  EXPECT_EQ(now.back(), 'Z');
}

TEST(ParseReal, TakesTheWholeTextOrNothing) {
  EXPECT_EQ(ParseReal("0.12"), 0.12);
  EXPECT_EQ(ParseReal("-1.5"), -1.5);
  EXPECT_EQ(ParseReal("+.5e3"), 500);
  EXPECT_EQ(ParseReal("5."), 5);
  EXPECT_EQ(ParseReal("1e-3"), 0.001);
  EXPECT_EQ(ParseReal("1E+22"), 1e22);
  EXPECT_EQ(ParseReal("18446744073709551616"), 18446744073709551616.0);
  EXPECT_EQ(ParseReal("1e-999999999999"), 0);
  EXPECT_EQ(ParseReal("3.14159265358979323846264338327950288"), 3.14159265358979323846);
  for (std::string_view wrong :
       {"", "-", ".", "1.2.3", "1e", "1e+-2", "0x10", "inf", " 1", "1 ", "1e400", "e5"})
    EXPECT_EQ(ParseReal(wrong), std::nullopt) << wrong;
}

TEST(FormatUtc, WritesRfc3339) {
  EXPECT_EQ(FormatUtc({0, 0}, 0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatUtc({1767323045, 12345678}, 9), "2026-01-02T03:04:05.012345678Z");
  EXPECT_EQ(FormatUtc({951782400, 999999999}, 3), "2000-02-29T00:00:00.999Z");
}

TEST(Quote, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(Quote("a\"b\\\n\x1b[0m"), "\"a\\\"b\\\\\\n\\x1b[0m\"");
  EXPECT_EQ(Quote("abcdef", 3), "\"abc…\"");
}

}  // namespace kiste
