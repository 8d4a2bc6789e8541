// SPDX-License-Identifier: Apache-2.0
//
// The launcher's texts and the state with its pid put in, run natively (CMakeLists.txt).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "base/strings.h"
#include "isolation/namespaces/launcher/launcher.h"

namespace kiste::isolation::launcher {

namespace {

class ExpandStateTest : public ::testing::Test {
 protected:
  void SetUp() override { l_.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC); }
  void TearDown() override { close(l_.proc); }

  std::string Expand(const std::string& state) {
    StatePieces pieces;
    ExpandState(l_, state.c_str(), pieces);
    std::string text;
    EXPECT_LE(pieces.count, std::size(pieces.pieces));
    for (unsigned i = 0; i < pieces.count; ++i)
      text.append(static_cast<const char*>(pieces.pieces[i].base), pieces.pieces[i].size);
    return text;
  }
  Launcher l_;
  std::string pid_ = std::to_string(getpid());
};

}  // namespace

TEST_F(ExpandStateTest, PidStandsAtEveryMark) {
  EXPECT_EQ(Expand("{}"), "{}");
  EXPECT_EQ(Expand(""), "");
  EXPECT_EQ(Expand("{\"pid\":\x01}"), "{\"pid\":" + pid_ + "}");
  EXPECT_EQ(Expand("{\"pid\":\x01,\"state\":{\"pid\":\x01}}"),
            "{\"pid\":" + pid_ + ",\"state\":{\"pid\":" + pid_ + "}}");
  EXPECT_EQ(Expand("\x01"), pid_);
}

TEST_F(ExpandStateTest, ManyMarksNeverLeaveTheArray) {
  Expand(std::string(100, '\x01'));
  EXPECT_EQ(Expand("a\x01"
                   "b\x01"
                   "c\x01"
                   "d\x01"
                   "e"),
            "a" + pid_ + "b" + pid_ + "c" + pid_ + "d" + pid_ + "e");
}

TEST(LauncherText, AppendingKeepsANulAndTheEnd) {
  char buffer[8];
  char* at = AppendText(buffer, buffer + sizeof buffer, "abc");
  EXPECT_EQ(at, buffer + 3);
  AppendText(at, buffer + sizeof buffer, "defghijk");
  EXPECT_STREQ(buffer, "abcdefg");
  AppendNumber(buffer, buffer + sizeof buffer, 0);
  EXPECT_STREQ(buffer, "0");
  AppendNumber(buffer, buffer + sizeof buffer, 12345678901ul);
  EXPECT_STREQ(buffer, "1234567");
}

TEST(LauncherText, NumbersAndComparisons) {
  const char* text = "42/x";
  unsigned long number = 0;
  EXPECT_TRUE(ParseNumber(text, number));
  EXPECT_EQ(number, 42u);
  EXPECT_STREQ(text, "/x");
  EXPECT_FALSE(ParseNumber(text, number));
  EXPECT_TRUE(Equal("a", "a") && !Equal("a", "ab") && !Equal("ab", "a"));
  EXPECT_TRUE(StartsWith("/proc/x", "/proc") && !StartsWith("/pro", "/proc"));
  EXPECT_EQ(Length(""), 0u);
}

TEST(LauncherText, ExplanationsAreCutNotOverrun) {
  Launcher l;
  l.report.pid = 0x7777;
  l.Explain("one", "-two", "-three");
  EXPECT_STREQ(l.report.detail, "one-two-three");
  std::string much(1000, 'x');
  l.Explain(much.c_str(), much.c_str());
  EXPECT_EQ(std::string(l.report.detail).size(), sizeof l.report.detail - 1);
  EXPECT_EQ(l.report.pid, 0x7777);
}

TEST(LauncherText, ForeignWordsAreQuotedAsTheRuntimeDoes) {
  auto quoted = [](std::string_view text) {
    char buffer[64];
    AppendQuoted(buffer, buffer + sizeof buffer, text.data(), text.size());
    return std::string(buffer);
  };
  for (std::string_view text :
       {"", "plain", "a\nb", "say \"x\"", "back\\slash", "\t\x1b[1m\x7f", "ü"})
    EXPECT_EQ(quoted(text), Quote(text, 100)) << text;
  std::string much(100, 'x');
  EXPECT_EQ(quoted(much), Quote(much, 55));
  std::string escapes(100, '\x01');
  EXPECT_EQ(quoted(escapes), Quote(escapes, 14));
}

TEST(LauncherText, QuotedExplanationsAreCutNotOverrun) {
  Launcher l;
  l.report.pid = 0x7777;
  l.Explain("one");
  l.ExplainQuoted(", output: ", " \n", 2);
  EXPECT_STREQ(l.report.detail, "one");
  l.ExplainQuoted(", output: ", "\ntwo\n\n", 6);
  EXPECT_STREQ(l.report.detail, "one, output: \"two\"");
  std::string much(1000, 'x');
  for (size_t before = 0; before <= sizeof l.report.detail; ++before) {
    l.Explain(much.substr(0, before).c_str());
    l.ExplainQuoted(", output: ", much.data(), much.size());
    std::string_view detail = l.report.detail;
    EXPECT_LT(detail.size(), sizeof l.report.detail);
    EXPECT_TRUE(detail.find(',') == detail.npos || detail.ends_with("x…\"")) << detail;
  }
  EXPECT_EQ(l.report.pid, 0x7777);
}

}  // namespace kiste::isolation::launcher
