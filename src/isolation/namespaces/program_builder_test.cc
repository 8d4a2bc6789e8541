// SPDX-License-Identifier: Apache-2.0
#include "isolation/namespaces/program_builder.h"

#include <gtest/gtest.h>

#include <cstring>

namespace kiste::isolation {

namespace {

using launcher::Op;
using launcher::Program;

template <typename T>
T At(const std::string& block, size_t offset) {
  T value;
  EXPECT_LE(offset + sizeof value, block.size());
  std::memcpy(&value, block.data() + offset, sizeof value);
  return value;
}

}  // namespace

TEST(ProgramBuilder, HeaderDescribesTheBlock) {
  ProgramBuilder builder;
  builder.Add({.op = Op::kSetsid}, "first");
  builder.Add({.op = Op::kUmask, .a = 022}, "second");
  std::string block = builder.Finish(11, 12);
  auto header = At<Program>(block, 0);
  EXPECT_EQ(header.magic, launcher::kMagic);
  EXPECT_EQ(header.size, block.size());
  EXPECT_EQ(header.channel, 11);
  EXPECT_EQ(header.proc, 12);
  ASSERT_EQ(header.operation_count, 2u);
  EXPECT_EQ(header.operations % alignof(launcher::Operation), 0u);
  EXPECT_EQ(At<launcher::Operation>(block, header.operations).op, Op::kSetsid);
  auto second = At<launcher::Operation>(block, header.operations + sizeof(launcher::Operation));
  EXPECT_EQ(second.op, Op::kUmask);
  EXPECT_EQ(second.a, 022u);
  EXPECT_EQ(second.fd, -1);
  EXPECT_EQ(builder.words(), (std::vector<std::string>{"first", "second"}));
}

TEST(ProgramBuilder, ChannelAndProcAreInheritedLikeOthers) {
  ProgramBuilder builder;
  EXPECT_EQ(builder.Inherit(7), 7);
  builder.Finish(11, 12);
  EXPECT_EQ(builder.inherited(), (std::vector<int>{7, 11, 12}));
}

TEST(ProgramBuilder, NothingIsAtOffsetZero) {
  ProgramBuilder builder;
  EXPECT_EQ(builder.Text(""), 0u);
  EXPECT_GE(builder.Text("a"), sizeof(Program));
}

TEST(ProgramBuilder, TextsAreEndedByANul) {
  ProgramBuilder builder;
  auto first = builder.Text("one");
  auto second = builder.Text("two");
  std::string block = builder.Finish(1, 2);
  EXPECT_STREQ(block.data() + first, "one");
  EXPECT_STREQ(block.data() + second, "two");
}

TEST(ProgramBuilder, DataIsAligned) {
  ProgramBuilder builder;
  builder.Text("ab");  // leaves an odd end
  std::vector<uint64_t> numbers = {1, 2, 3};
  auto offset = builder.Data(numbers);
  builder.Text("abcd");
  auto single = builder.Struct(uint64_t{9});
  std::string block = builder.Finish(1, 2);
  EXPECT_EQ(offset % alignof(uint64_t), 0u);
  EXPECT_EQ(single % alignof(uint64_t), 0u);
  EXPECT_EQ(At<uint64_t>(block, offset + 16), 3u);
  EXPECT_EQ(At<uint64_t>(block, single), 9u);
}

TEST(ProgramBuilder, PointersEndWithZeroAndKeepEmptyArguments) {
  ProgramBuilder builder;
  auto list = builder.Pointers({"sh", "", "x"});
  std::string block = builder.Finish(1, 2);
  auto empty = At<uint64_t>(block, list + 8);
  EXPECT_STREQ(block.data() + At<uint64_t>(block, list), "sh");
  ASSERT_NE(empty, 0u);  // 0 would end the list
  EXPECT_STREQ(block.data() + empty, "");
  EXPECT_STREQ(block.data() + At<uint64_t>(block, list + 16), "x");
  EXPECT_EQ(At<uint64_t>(block, list + 24), 0u);
}

TEST(ProgramBuilder, PointersTakeOneThatIsInPlace) {
  ProgramBuilder builder;
  auto space = builder.Space(32);
  auto list = builder.Pointers({"A=1"}, space);
  std::string block = builder.Finish(1, 2);
  EXPECT_EQ(At<uint64_t>(block, list + 8), space);
  EXPECT_EQ(At<uint64_t>(block, list + 16), 0u);
  EXPECT_EQ(block.substr(space, 32), std::string(32, '\0'));
}

TEST(ProgramBuilder, TextListHoldsOffsets) {
  ProgramBuilder builder;
  auto list = builder.TextList({"/a", "/b"});
  std::string block = builder.Finish(1, 2);
  EXPECT_STREQ(block.data() + At<uint32_t>(block, list), "/a");
  EXPECT_STREQ(block.data() + At<uint32_t>(block, list + 4), "/b");
}

}  // namespace kiste::isolation
