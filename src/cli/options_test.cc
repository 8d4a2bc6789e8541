// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <gtest/gtest.h>

namespace kiste::cli {

namespace {

constexpr Option kOptions[] = {
    {"bundle", 'b', "DIR", "where"},
    {"tty", 't', nullptr, "terminal"},
    {"env", 'e', "NAME=VALUE", "variable"},
    {"preserve-fds", 0, "N", "descriptors"},
};

Result<Arguments> Parse(std::vector<std::string> words) { return ParseArguments(kOptions, words); }

}  // namespace

TEST(Options, TakesEveryWayOfWritingThem) {
  auto parsed =
      Parse({"--bundle=x", "-tty", "-e", "A=1", "--env", "B=2", "id", "--tty=false"}).value();
  EXPECT_EQ(parsed.Value("bundle"), "x");
  EXPECT_TRUE(parsed.Switch("tty"));
  EXPECT_EQ(parsed.Values("env"), (std::vector<std::string>{"A=1", "B=2"}));
  EXPECT_EQ(parsed.positional(), (std::vector<std::string>{"id", "--tty=false"}));
}

TEST(Options, ShortNameWithEqualsAndSwitchOff) {
  auto parsed = Parse({"-b=y", "--tty=false", "--", "-x"}).value();
  EXPECT_EQ(parsed.Value("bundle"), "y");
  EXPECT_FALSE(parsed.Switch("tty"));
  EXPECT_EQ(parsed.positional(), std::vector<std::string>{"-x"});
}

TEST(Options, MayStandBehindArgumentsWhereToldSo) {
  std::vector<std::string> words = {"id", "-b", "x", "-9", "-t", "-", "--", "-e"};
  auto parsed = ParseArguments(kOptions, words, Placement::kAnywhere).value();
  EXPECT_EQ(parsed.Value("bundle"), "x");
  EXPECT_TRUE(parsed.Switch("tty"));
  EXPECT_EQ(parsed.positional(), (std::vector<std::string>{"id", "-9", "-", "-e"}));
  EXPECT_FALSE(ParseArguments(kOptions, {{std::string("--nope")}}, Placement::kAnywhere));
}

TEST(Options, ErrorsNameTheOption) {
  EXPECT_EQ(Parse({"--nope"}).error().Text(), "unknown option \"--nope\"");
  EXPECT_EQ(Parse({"--bundle"}).error().Text(), "flag needs an argument: --bundle");
  EXPECT_EQ(Parse({"--tty=maybe"}).error().Text(),
            "--tty: expected true or false, found \"maybe\"");
  auto parsed = Parse({"--preserve-fds", "many"}).value();
  EXPECT_EQ(parsed.Number("preserve-fds", 0).error().Text(),
            "--preserve-fds: expected a number, found \"many\"");
}

}  // namespace kiste::cli
