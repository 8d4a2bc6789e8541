// SPDX-License-Identifier: Apache-2.0
#include "bench/kernel/source_lines.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace kiste::bench {
namespace {

// The linker gives the bounds of a section that is named like a variable.
extern "C" const char __start_known[], __stop_known[];  // NOLINT

constexpr int kFirst = __LINE__ + 1;
[[gnu::noinline, gnu::section("known")]] int Known(int number) {
  if (number > 3) {
    number = number * 7 + getpid();
  }
  return number;
}
constexpr int kLast = __LINE__ - 1;

TEST(SourceLines, OfAFunctionAreThoseItIsWrittenIn) {
  auto source = SourceLines::OfProcess(getpid());
  ASSERT_TRUE(source) << source.error().Text();
  std::set<SourceLine> lines;
  auto size = static_cast<uint64_t>(__stop_known - __start_known);
  ASSERT_TRUE(source->Add(reinterpret_cast<uint64_t>(&Known), size, lines));
  EXPECT_GE(lines.size(), 2u);
  EXPECT_LE(lines.size(), static_cast<size_t>(kLast - kFirst + 1));
  for (const auto& line : lines) {
    EXPECT_TRUE(source->files()[static_cast<size_t>(line.file)].ends_with("source_lines_test.cc"));
    EXPECT_GE(line.line, kFirst);
    EXPECT_LE(line.line, kLast);
  }
  auto before = lines;
  ASSERT_TRUE(source->Add(reinterpret_cast<uint64_t>(&Known), size, lines));
  EXPECT_EQ(lines, before);
}

TEST(SourceLines, WhereThereIsNoFunctionThereAreNone) {
  auto source = SourceLines::OfProcess(getpid());
  ASSERT_TRUE(source) << source.error().Text();
  std::set<SourceLine> lines;
  EXPECT_FALSE(source->Add(16, 16, lines));
  EXPECT_TRUE(lines.empty());
}

TEST(SourceLines, AProcessThatIsNotThereIsAnError) { EXPECT_FALSE(SourceLines::OfProcess(-1)); }

TEST(KernelPath, BeginsAtAFolderOfTheKernels) {
  EXPECT_EQ(KernelPath("debian/build/build_amd64_none_cloud-amd64/mm/mmap.c"), "mm/mmap.c");
  EXPECT_EQ(KernelPath("/build/reproducible-path/linux-6.1.192/arch/x86/lib/memcpy_64.S"),
            "arch/x86/lib/memcpy_64.S");
  EXPECT_EQ(KernelPath("drivers/net/tun.c"), "drivers/net/tun.c");
  EXPECT_EQ(KernelPath("/usr/src/debug/kernel-6.1/linux-6.1/io_uring/rw.c"), "io_uring/rw.c");
}

TEST(KernelPath, OfWhatIsNoneOfTheKernelsStays) {
  EXPECT_EQ(KernelPath("/tmp/outside.c"), "/tmp/outside.c");
  EXPECT_EQ(KernelPath("mm"), "mm");
  EXPECT_EQ(KernelPath(""), "");
}

}  // namespace
}  // namespace kiste::bench
