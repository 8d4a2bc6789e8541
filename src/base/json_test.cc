// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <gtest/gtest.h>

namespace kiste::json {

namespace {

std::string ParseError(std::string text) {
  auto parsed = Document::Parse(std::move(text), "c.json");
  return parsed ? "" : parsed.error().Text();
}

}  // namespace

TEST(Json, ReadsMembersByPath) {
  auto document = Document::Parse(R"({"a":{"b":[1,"x",true]}})", "c.json").value();
  auto list = document.root()["a"]["b"];
  EXPECT_EQ(list.size(), 3u);
  int seen = 0;
  EXPECT_TRUE(list.ForEach([&](const Value&) -> Status {
    ++seen;
    return {};
  }));
  EXPECT_EQ(seen, 3);
}

TEST(Json, ErrorsNameFileFieldAndValue) {
  auto document = Document::Parse(R"({"a":{"uid":"root","n":[1]}})", "c.json").value();
  auto a = document.root()["a"];
  EXPECT_EQ(a["uid"].Uint().error().Text(),
            "c.json: a.uid: expected an unsigned number of 64 bits, found \"root\"");
  EXPECT_EQ(a["n"].Strings().error().Text(),
            "c.json: a.n[0]: expected a string without a NUL character, found 1");
  EXPECT_EQ(a["none"].String().error().Text(), "c.json: a.none: expected a string, found nothing");
}

TEST(Json, KeepsUnsigned64) {
  auto document = Document::Parse(R"({"m":18446744073709551615})", "c").value();
  EXPECT_EQ(document.root()["m"].Uint().value(), 18446744073709551615u);
}

TEST(Json, RefusesBrokenText) {
  EXPECT_NE(ParseError("{\n \"a\": }").find("c.json: invalid JSON at line 2"), std::string::npos);
  EXPECT_NE(ParseError("{} x"), "");
  EXPECT_NE(ParseError(""), "");
  EXPECT_NE(ParseError("{\"a\":\"\xff\"}"), "");
}

TEST(Json, RefusesHalfASurrogatePair) {
  EXPECT_EQ(ParseError("{\n \"a\": \"\\udddb\"}"),
            "c.json: invalid JSON at line 2, column 8: the second half of a surrogate pair without "
            "the first");
  EXPECT_NE(ParseError(R"({"a":"\ud83d"})"), "");
  EXPECT_NE(ParseError(R"({"a":"\\\uDC00"})"), "");
  EXPECT_EQ(ParseError(R"({"a":"\ud83d\ude00", "b":"\\udc00", "c":"\u00e4"})"), "");
}

TEST(Json, RefusesDuplicatesDepthAndSize) {
  EXPECT_EQ(ParseError(R"({"a":{"b":1,"b":2}})"), "c.json: a.b: this member stands twice");
  EXPECT_NE(ParseError(std::string(200, '[') + std::string(200, ']')).find("nested deeper"),
            std::string::npos);
  EXPECT_NE(ParseError(std::string(100000, '[')), "");
  EXPECT_NE(ParseError(std::string(kMaxBytes + 1, ' ')).find("expected at most"),
            std::string::npos);
}

TEST(Json, ErrorsStayOneLine) {
  auto document = Document::Parse("{\"a\\nb\":{\"c\":1}}", "c").value();
  EXPECT_EQ(document.root()["a\nb"]["c"].String().error().Text(),
            "c: \"a\\nb\".c: expected a string, found 1");
}

TEST(Json, RefusesNulInStrings) {
  auto document = Document::Parse(R"({"a":"x\u0000y"})", "c").value();
  EXPECT_FALSE(document.root()["a"].String());
}

TEST(Document, ASequenceThatTheEndCutsIsAnError) {
  // Each text in a block of just its size: AddressSanitizer sees what is read or written behind it.
  for (const char* text :
       {"\"\xc3", "\"\xe2", "\"\xe2\x82", "\"\xf0", "\"\xf0\x9f\x98", "{\"a\":\"\xf4"}) {
    std::string exact(text);
    exact.shrink_to_fit();
    EXPECT_FALSE(Document::Parse(std::move(exact), "x.json")) << text;
  }
}

}  // namespace kiste::json
