// SPDX-License-Identifier: Apache-2.0
#include "bench/kernel/symbols.h"

#include <gtest/gtest.h>

#include "bench/kernel/subsystem.h"

namespace kiste::bench {
namespace {

constexpr char kKallsyms[] =
    "0000000000000000 A fixed_percpu_data\n"
    "ffffffff81000000 T _text\n"
    "ffffffff81000000 T _stext\n"
    "ffffffff81000100 t native_thing\n"
    "ffffffff81000100 T native_thing_alias\n"
    "ffffffff81000180 T fork_init\n"
    "ffffffff81000200 T schedule_one\n"
    "ffffffff81000300 T _etext\n"
    "ffffffff81000400 d some_data\n"
    "ffffffff82000000 T start_kernel\n"
    "ffffffffc0001000 t ovl_open\t[overlay]\n"
    "ffffffffc0001040 t ovl_read\t[overlay]\n"
    "ffffffffc0009000 t bpf_prog_1\t[bpf]\n";

TEST(Symbols, FunctionsOfTheRunningText) {
  auto symbols = Symbols::Parse(kKallsyms);
  ASSERT_TRUE(symbols);
  const auto& all = symbols->functions();
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[0].name, "native_thing");
  EXPECT_EQ(all[0].size, 0x80U);
  EXPECT_EQ(all[2].size, 0x100U);
  EXPECT_EQ(all[3].module, "overlay");
  EXPECT_EQ(all[3].size, 0x40U);
  EXPECT_EQ(symbols->Find(0xffffffff81000184), 1);
  EXPECT_EQ(symbols->Find(0xffffffff81000300), -1);
  EXPECT_EQ(symbols->Find(0x1000), -1);
}

TEST(Symbols, HiddenAddresses) {
  auto symbols = Symbols::Parse("0000000000000000 T _stext\n0000000000000000 T schedule\n");
  ASSERT_FALSE(symbols);
  EXPECT_EQ(symbols.error().kind, ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace kiste::bench
