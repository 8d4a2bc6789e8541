// SPDX-License-Identifier: Apache-2.0
#include "sys/criu/wire.h"

#include <gtest/gtest.h>

#include <vector>

namespace kiste::sys::criu {
namespace {

using std::string_literals::operator""s;

std::vector<WireField> Fields(const std::string& message) {
  std::vector<WireField> fields;
  auto read = ForEachField(message, [&](const WireField& field) -> Status {
    fields.push_back(field);
    return {};
  });
  EXPECT_TRUE(read) << read.error().Text();
  return fields;
}

bool IsRefused(const std::string& message) {
  auto read = ForEachField(message, [](const WireField&) -> Status { return {}; });
  return !read && read.error().kind == ErrorKind::kInvalid;
}

// The examples of the format's documentation.
TEST(CriuWire, WritesWhatTheDocumentationShows) {
  WireWriter number;
  number.Number(1, 150);
  EXPECT_EQ(number.text(), "\x08\x96\x01");
  WireWriter text;
  text.Bytes(2, "testing");
  EXPECT_EQ(text.text(), "\x12\x07testing");
  WireWriter inner;
  inner.Number(1, 150);
  WireWriter outer;
  outer.Bytes(3, inner.text());
  EXPECT_EQ(outer.text(), "\x1a\x03\x08\x96\x01");
}

TEST(CriuWire, NegativeNumberTakesTenBytes) {
  WireWriter writer;
  writer.Signed(1, -2);
  EXPECT_EQ(writer.text(), "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  auto fields = Fields(writer.text());
  ASSERT_EQ(fields.size(), 1U);
  EXPECT_EQ(static_cast<int32_t>(fields[0].value), -2);
}

TEST(CriuWire, ReadsWhatItWrites) {
  WireWriter writer;
  writer.Number(300, UINT64_MAX);
  writer.Bytes(1, "");
  writer.Bytes(1, "two");
  auto fields = Fields(writer.text());
  ASSERT_EQ(fields.size(), 3U);
  EXPECT_EQ(fields[0].number, 300U);
  EXPECT_EQ(fields[0].value, UINT64_MAX);
  EXPECT_EQ(fields[2].bytes, "two");
}

TEST(CriuWire, PassesOverFixedNumbers) {
  auto fields = Fields(
      "\x09"s
      "12345678"
      "\x0d"s
      "1234"
      "\x10\x05"s);
  ASSERT_EQ(fields.size(), 1U);
  EXPECT_EQ(fields[0].number, 2U);
  EXPECT_EQ(fields[0].value, 5U);
}

TEST(CriuWire, RefusesWhatIsNoMessage) {
  EXPECT_TRUE(IsRefused("\x08"s));  // no value
  EXPECT_TRUE(
      IsRefused("\x12\x05"
                "four"s));              // too short
  EXPECT_TRUE(IsRefused("\x00\x01"s));  // field 0
  EXPECT_TRUE(IsRefused("\x0b"s));      // a group
  EXPECT_TRUE(IsRefused("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s));
  EXPECT_TRUE(IsRefused("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s));  // a huge length
}

TEST(CriuWire, TheVisitorsErrorEndsIt) {
  WireWriter writer;
  writer.Number(1, 1);
  writer.Number(2, 2);
  int seen = 0;
  auto read = ForEachField(writer.text(), [&](const WireField&) -> Status {
    ++seen;
    return Invalid("enough");
  });
  EXPECT_FALSE(read);
  EXPECT_EQ(seen, 1);
}

}  // namespace
}  // namespace kiste::sys::criu
