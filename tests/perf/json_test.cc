// SPDX-License-Identifier: Apache-2.0
#include "json.h"

#include <gtest/gtest.h>

namespace kiste::perf {
namespace {

TEST(JsonTest, KeepsWhatItRead) {
  const std::string text =
      R"({"a":[1,-2.5e3,18446744073709551615],"b":{"c":null,"d":true,"e":false},"f":"x\"\\y"})";
  const auto value = Json::Parse(text);
  ASSERT_TRUE(value) << value.error().text;
  EXPECT_EQ(value->Dump(), text);
}

TEST(JsonTest, FindsAndReplaces) {
  auto value = Json::Parse(R"( { "a" : [ ] , "b" : "old" } )");
  ASSERT_TRUE(value) << value.error().text;
  value->Set("b", "new");
  value->Set("c", 7);
  EXPECT_EQ(value->Dump(), R"({"a":[],"b":"new","c":7})");
  EXPECT_EQ(value->Find("b")->Text(), "new");
  EXPECT_EQ(value->Find("z"), nullptr);
}

TEST(JsonTest, RefusesWhatIsNotJson) {
  for (const char* text :
       {"", "{", "[1,]", "{\"a\"}", "{\"a\":1 \"b\":2}", "\"open", "1 2", "nul"}) {
    EXPECT_FALSE(Json::Parse(text)) << text;
  }
  EXPECT_FALSE(Json::Parse(std::string(1000, '[')));
}

}  // namespace
}  // namespace kiste::perf
