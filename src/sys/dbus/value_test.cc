// SPDX-License-Identifier: Apache-2.0
#include "sys/dbus/value.h"

#include <gtest/gtest.h>

namespace kiste::sys::dbus {

namespace {

using namespace std::string_view_literals;

std::string Written(const Value& value) {
  std::string bytes;
  Write(value, bytes);
  return bytes;
}

Result<std::vector<Value>> ReadLittle(std::string_view bytes, std::string_view signature) {
  return Reader(bytes, ByteOrder::kLittle).Read(signature);
}

Value Property(std::string name, Value value) {
  return Struct({String(std::move(name)), Variant(std::move(value))});
}

}  // namespace

TEST(Value, BytesAreThoseOfTheSpecification) {
  // The examples in "Summary of D-Bus marshalling".
  EXPECT_EQ(Written(String("foo")), "\3\0\0\0foo\0"sv);
  EXPECT_EQ(Written(Array("t", {Uint64(5)})), "\10\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0"sv);
  EXPECT_EQ(Written(Variant(Uint32(7))), "\1u\0\0\7\0\0\0"sv);
  EXPECT_EQ(Written(Bool(true)), "\1\0\0\0"sv);
  EXPECT_EQ(Written(Value{"g", std::string("ai")}), "\2ai\0"sv);
}

TEST(Value, WhatIsWrittenReadsBack) {
  const Value values[] = {
      Bool(false),
      Uint32(UINT32_MAX),
      Uint64(UINT64_MAX),
      Value{"y", uint64_t{255}},
      Value{"n", uint64_t{0xfffe}},
      Value{"d", 1.5},
      String(""),
      Value{"o", std::string("/a/b")},
      Strings({"a", "", "bcd"}),
      Bytes({1, 2, 3}),
      Array("(sv)", {}),
      Array("(sv)", {Property("A", Uint64(1)), Property("Bc", Strings({"x"}))}),
      Array("(iiqq)", {Struct({Value{"i", uint64_t{1}}, Value{"i", uint64_t{2}},
                               Value{"q", uint64_t{3}}, Value{"q", uint64_t{4}}})}),
      Array("{sv}", {Value{"{sv}", std::vector<Value>{String("k"), Variant(Bool(true))}}}),
      Variant(Variant(Variant(String("deep")))),
  };
  for (const auto& value : values) {
    EXPECT_EQ(ReadLittle(Written(value), value.signature).value(), std::vector<Value>{value})
        << value.signature;
  }
}

TEST(Value, BothByteOrdersAreRead) {
  EXPECT_EQ(Reader("\0\0\1\2"sv, ByteOrder::kBig).Read("u").value()[0], Uint32(258));
  EXPECT_EQ(Reader("\0\0\0\1x\0"sv, ByteOrder::kBig).Read("s").value()[0], String("x"));
}

TEST(Value, EveryCutIsAnError) {
  Value value = Array("(sv)", {Property("Memory", Uint64(1)), Property("B", Strings({"x", "y"}))});
  std::string bytes = Written(value);
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(ReadLittle(std::string_view(bytes).substr(0, length), value.signature)) << length;
  }
}

TEST(Value, WhatIsMalformedIsAnError) {
  struct {
    std::string_view what, signature, bytes;
  } cases[] = {
      {"boolean", "b", "\2\0\0\0"sv},
      {"no NUL behind a text", "s", "\1\0\0\0ab"sv},
      {"NUL in a text", "s", "\2\0\0\0a\0\0"sv},
      {"length at the type's limit", "s", "\377\377\377\377a\0"sv},
      {"array over the end", "au", "\377\377\377\377\0\0\0\0"sv},
      {"array ends inside its element", "au", "\6\0\0\0\0\0\0\0\0\0\0\0"sv},
      {"padding that is not zero", "yu", "\1\1\0\0\1\0\0\0"sv},
      {"variant of two types", "v", "\2uu\0\1\0\0\0\1\0\0\0"sv},
      {"variant of no type", "v", "\0\0"sv},
      {"signature as a value", "g", "\1z\0"sv},
      {"signature to read", "a", "\0\0\0\0"sv},
  };
  for (const auto& [what, signature, bytes] : cases) {
    EXPECT_FALSE(ReadLittle(bytes, signature)) << what;
  }
}

TEST(Value, NestedVariantsHaveALimit) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += "\1v\0"sv;
  bytes += "\1y\0\1"sv;
  EXPECT_FALSE(ReadLittle(bytes, "v"));
}

TEST(Value, SignaturesAreChecked) {
  for (const char* right : {"", "s", "a(sv)", "a{sv}", "a{s(iiqq)}", "ssa(sv)a(sa(sv))", "aaai"}) {
    EXPECT_TRUE(IsSignature(right)) << right;
  }
  for (const char* wrong :
       {"a", "()", "(s", "s)", "{sv}", "a{vs}", "a{s}", "a{svs}", "z", "a{sv"}) {
    EXPECT_FALSE(IsSignature(wrong)) << wrong;
  }
  EXPECT_TRUE(IsSignature(std::string(32, 'a') + "y"));
  EXPECT_FALSE(IsSignature(std::string(33, 'a') + "y"));
  EXPECT_FALSE(IsSignature(std::string(256, 'y')));
  EXPECT_FALSE(IsSignature(std::string(100, '(') + "y" + std::string(100, ')')));
}

TEST(Value, NumbersAndTextsAreToldApart) {
  EXPECT_EQ(NumberOf(Uint32(3), "x").value(), 3U);
  EXPECT_FALSE(NumberOf(String("3"), "x"));
  EXPECT_EQ(TextOf(String("a"), "x").value(), "a");
  EXPECT_FALSE(TextOf(Bool(true), "x"));
}

}  // namespace kiste::sys::dbus
