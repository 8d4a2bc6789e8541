// SPDX-License-Identifier: Apache-2.0
#include "base/pattern.h"

#include <gtest/gtest.h>
#include <regex.h>

#include <random>
#include <string>

namespace kiste {

namespace {

bool Matches(const std::string& pattern, const std::string& text) {
  auto compiled = Pattern::Compile(pattern);
  EXPECT_TRUE(compiled) << pattern << ": " << compiled.error().Text();
  return compiled && compiled->Matches(text);
}

std::string Mistake(const std::string& pattern) {
  auto compiled = Pattern::Compile(pattern);
  return compiled ? "none" : compiled.error().Text();
}

}  // namespace

TEST(Pattern, FindsAPartUnlessAnchored) {
  EXPECT_TRUE(Matches("web", "my-web-1"));
  EXPECT_FALSE(Matches("^web", "my-web-1"));
  EXPECT_TRUE(Matches("^my", "my-web-1"));
  EXPECT_FALSE(Matches("web$", "my-web-1"));
  EXPECT_TRUE(Matches("^my-web-1$", "my-web-1"));
  EXPECT_TRUE(Matches("", "anything"));
  EXPECT_TRUE(Matches("^$", ""));
}

TEST(Pattern, RepeatsAndChooses) {
  EXPECT_TRUE(Matches("^(web|db)-[0-9]+$", "db-42"));
  EXPECT_FALSE(Matches("^(web|db)-[0-9]+$", "db-"));
  EXPECT_TRUE(Matches("^a{2,3}$", "aaa"));
  EXPECT_FALSE(Matches("^a{2,3}$", "aaaa"));
  EXPECT_TRUE(Matches("^a{2,}$", "aaaaaa"));
  EXPECT_TRUE(Matches("^(ab?)*$", "aaba"));
  EXPECT_TRUE(Matches("^[^]a-c]$", "d"));
  EXPECT_FALSE(Matches("^[^]a-c]$", "]"));
  EXPECT_TRUE(Matches("^[[:alpha:]_.-]+$", "a_b.c-d"));
  EXPECT_TRUE(Matches("1\\.5", "v1.5"));
  EXPECT_FALSE(Matches("1\\.5", "v1x5"));
}

TEST(Pattern, MistakesSayWhere) {
  EXPECT_EQ(Mistake("a(b"), "regular expression \"a(b\": at byte 3: a ( without its )");
  EXPECT_EQ(Mistake("a)"), "regular expression \"a)\": at byte 1: a ) without its (");
  for (const char* wrong : {"*a", "a{3", "a{3,2}", "a{256}", "a{x}", "[a", "[z-a]", "[[:nope:]]",
                            "a\\", "(a)\\1", "\\d"})
    EXPECT_NE(Mistake(wrong), "none") << wrong;
}

TEST(Pattern, IsBounded) {
  EXPECT_NE(Mistake(std::string(1025, 'a')), "none");
  EXPECT_NE(Mistake("((a{200}){200}){200}"), "none");
  EXPECT_NE(Mistake(std::string(500, '(') + std::string(500, ')')), "none");
  // Exponential for who tries one way after the other.
  EXPECT_FALSE(Matches("^((((a*)*)*)*)*b$", std::string(1024, 'a')));
  EXPECT_FALSE(Matches("(a|a)*(a|aa)*c", std::string(1024, 'a')));
}

// The C library as the oracle, on small random expressions that are small enough for it.
TEST(Pattern, AgreesWithTheCLibrary) {
  std::mt19937 random(7);
  const std::string letters = "ab.*+?|()[]^$a";
  for (int i = 0; i < 20000; ++i) {
    std::string expression, text;
    for (size_t n = random() % 9; n > 0; --n) expression += letters[random() % letters.size()];
    for (size_t n = random() % 6; n > 0; --n) text += "abc"[random() % 3];
    // What POSIX leaves undefined, the C library reads in its own way.
    auto ours = Pattern::Compile(expression);
    regex_t theirs;
    if (!ours || regcomp(&theirs, expression.c_str(), REG_EXTENDED | REG_NOSUB) != 0) continue;
    EXPECT_EQ(ours->Matches(text), regexec(&theirs, text.c_str(), 0, nullptr, 0) == 0)
        << expression << " on " << text;
    regfree(&theirs);
  }
}

}  // namespace kiste
