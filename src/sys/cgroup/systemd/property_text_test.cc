// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup/systemd/property_text.h"

#include <gtest/gtest.h>

namespace kiste::sys::cgroup::systemd {

namespace {

using dbus::Value;

Value Number(char type, uint64_t bits) { return {std::string(1, type), bits}; }

}  // namespace

TEST(PropertyText, ScalarsHaveTheirTypes) {
  struct {
    const char* text;
    Value value;
  } cases[] = {
      {"true", dbus::Bool(true)},
      {" false ", dbus::Bool(false)},
      {"'a b'", dbus::String("a b")},
      {"\"it's\"", dbus::String("it's")},
      {"'it\\'s\\n'", dbus::String("it's\n")},
      {"5", Number('i', 5)},
      {"-5", Number('i', 0xfffffffb)},
      {"uint64 18446744073709551615", dbus::Uint64(UINT64_MAX)},
      {"int64 -1", Number('x', UINT64_MAX)},
      {"uint32 0x10", dbus::Uint32(16)},
      {"byte 255", Number('y', 255)},
      {"@q 7", Number('q', 7)},
      {"1.5", Value{"d", 1.5}},
      {"double 2", Value{"d", 2.0}},
      {"objectpath '/a'", Value{"o", std::string("/a")}},
      {"boolean true", dbus::Bool(true)},
  };
  for (const auto& [text, value] : cases) {
    auto parsed = ParsePropertyText(text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().Text();
    EXPECT_EQ(*parsed, value) << text;
  }
}

TEST(PropertyText, ArraysAndTuplesAreTyped) {
  EXPECT_EQ(ParsePropertyText("['a', \"b\"]").value(), dbus::Strings({"a", "b"}));
  EXPECT_EQ(ParsePropertyText("@as []").value(), dbus::Strings({}));
  EXPECT_EQ(ParsePropertyText("[uint64 1, 2]").value(),
            dbus::Array("t", {dbus::Uint64(1), dbus::Uint64(2)}));
  EXPECT_EQ(ParsePropertyText("[byte 0x1, 2]").value(), dbus::Bytes({1, 2}));
  EXPECT_EQ(ParsePropertyText("[('/dev/null', 'rw')]").value(),
            dbus::Array("(ss)", {dbus::Struct({dbus::String("/dev/null"), dbus::String("rw")})}));
  EXPECT_EQ(ParsePropertyText("@a(st) [('/dev/sda', 5)]").value(),
            dbus::Array("(st)", {dbus::Struct({dbus::String("/dev/sda"), dbus::Uint64(5)})}));
  EXPECT_EQ(ParsePropertyText("(1,)").value(), dbus::Struct({Number('i', 1)}));
}

TEST(PropertyText, WhatIsMalformedIsRefused) {
  for (const char* wrong : {"",
                            " ",
                            "true false",
                            "'a",
                            "a",
                            "[]",
                            "[1, 'a']",
                            "['a' 'b']",
                            "['a'",
                            "()",
                            "(1",
                            "@",
                            "@z 1",
                            "@as 'a'",
                            "uint64 -1",
                            "byte 256",
                            "int32 2147483648",
                            "uint64 '5'",
                            "'a\\",
                            "--1",
                            "@(s) ()",
                            "@(s) ('a', 'b')",
                            "@a{sv} []",
                            "{'a': 1}",
                            "signature 'z'",
                            "objectpath 'a'",
                            "1.5.5",
                            "inf",
                            "uint64"}) {
    EXPECT_FALSE(ParsePropertyText(wrong)) << wrong;
  }
  EXPECT_FALSE(ParsePropertyText(std::string(10'000, '[')));
}

TEST(PropertyText, AnnotationsBecomeProperties) {
  auto properties = PropertiesFromAnnotations({{"org.systemd.property.CollectMode", "'inactive'"},
                                               {"org.systemd.property.TimeoutStopUSec", "uint64 9"},
                                               {"another", "whatever"}});
  ASSERT_TRUE(properties);
  ASSERT_EQ(properties->size(), 2U);
  EXPECT_EQ((*properties)[0].name, "CollectMode");
  EXPECT_EQ((*properties)[0].value, dbus::String("inactive"));
  EXPECT_EQ((*properties)[1].value, dbus::Uint64(9));
}

TEST(PropertyText, SecondsBecomeMicroseconds) {
  for (const char* text : {"2", "uint64 2", "2.0", "@x 2"}) {
    auto properties = PropertiesFromAnnotations({{"org.systemd.property.TimeoutStopSec", text}});
    ASSERT_TRUE(properties) << text;
    EXPECT_EQ((*properties)[0].name, "TimeoutStopUSec");
    EXPECT_EQ((*properties)[0].value, dbus::Uint64(2'000'000)) << text;
  }
  for (const char* wrong :
       {"'2'", "-2", "-0.5", "uint64 18446744073709551615", "true", "int64 -1"}) {
    EXPECT_FALSE(PropertiesFromAnnotations({{"org.systemd.property.TimeoutStopSec", wrong}}))
        << wrong;
  }
}

TEST(PropertyText, AnErrorNamesTheAnnotation) {
  for (const char* name : {"ab", "A1b", "A b", "", "A.b"}) {
    std::string key = std::string("org.systemd.property.") + name;
    auto properties = PropertiesFromAnnotations({{key, "true"}});
    ASSERT_FALSE(properties) << name;
    EXPECT_NE(properties.error().Text().find(key), std::string::npos);
  }
}

}  // namespace kiste::sys::cgroup::systemd
