// SPDX-License-Identifier: Apache-2.0
#include "bench/kernel/division.h"

#include <gtest/gtest.h>

#include "bench/kernel/subsystem.h"

namespace kiste::bench {
namespace {

// Ten functions of 16 bytes.
Symbols TenFunctions() {
  std::string text = "ffffffff81000000 T _stext\n";
  for (int number = 0; number < 10; ++number)
    text += "ffffffff810000" + std::to_string(number) + "0 T f" + std::to_string(number) + "\n";
  text += "ffffffff810000a0 T _etext\n";
  return *Symbols::Parse(text);
}

uint64_t At(int function) { return 0xffffffff81000000 + static_cast<uint64_t>(function) * 16; }

constexpr int kBench = 100, kRuntime = 101, kPayload = 102, kChild = 103, kEarlier = 104;

// The machine is idle until 1000; the program is executed at 2000.
class Divided : public testing::Test {
 protected:
  Divided() {
    trace_.own_threads = {kBench};
    trace_.own_pid = kBench;
    trace_.forks = {{1100, kBench, kRuntime},
                    {1200, kRuntime, kPayload},
                    {1500, kPayload, kEarlier},
                    {2100, kPayload, kChild}};
    parties_ = {.parents = {{kBench, 1}, {1, 0}, {2, 0}, {30, 2}, {50, 1}},
                .payload = {{kPayload, 2000}},
                .began = 1000};
  }
  void See(int pid, Context context, int function, uint64_t first, uint64_t last) {
    trace_.threads[pid].functions[static_cast<size_t>(context)][At(function)] = {first, last};
  }
  Division Get() { return Divide(trace_, TenFunctions(), parties_); }

  Trace trace_;
  Parties parties_;
};

TEST_F(Divided, ByTheExecOfThePayload) {
  See(kRuntime, Context::kTask, 0, 1150, 1900);
  See(kPayload, Context::kTask, 1, 1300, 1400);
  See(kPayload, Context::kTask, 2, 1300, 2500);
  See(kPayload, Context::kTask, 3, 2100, 2200);
  See(kChild, Context::kTask, 4, 2200, 2300);
  See(kEarlier, Context::kTask, 5, 2200, 2300);
  See(50, Context::kTask, 6, 2200, 2300);
  trace_.threads[kPayload].calls = {{59, {1990, 1990}}, {1, {2500, 2600}}};
  auto division = Get();
  EXPECT_EQ(division.payload, (std::set<int>{2, 3, 4}));
  EXPECT_EQ(division.runtime, (std::set<int>{0, 1, 2, 5}));
  EXPECT_EQ(division.calls, (std::set<int64_t>{1}));
  EXPECT_EQ(division.runtime_calls, (std::set<int64_t>{59}));
  EXPECT_EQ(division.All().size(), 6U);
}

TEST_F(Divided, WhatRunsWhenIdleIsLeftOut) {
  See(30, Context::kTask, 0, 500, 3000);
  See(30, Context::kTask, 1, 1500, 3000);
  See(0, Context::kTask, 2, 100, 3000);
  See(kPayload, Context::kInterrupt, 3, 2500, 2600);
  See(0, Context::kInterrupt, 4, 100, 3000);
  See(kPayload, Context::kInterrupt, 4, 2500, 2600);
  auto division = Get();
  EXPECT_EQ(division.kernel_threads, (std::set<int>{1}));
  EXPECT_EQ(division.interrupts, (std::set<int>{3}));
  EXPECT_TRUE(division.payload.empty());
}

TEST(InterruptEntry, ByName) {
  EXPECT_TRUE(IsInterruptEntry("sysvec_apic_timer_interrupt"));
  EXPECT_FALSE(IsInterruptEntry("schedule"));
}

TEST(Subsystem, ByAnchorsAndModules) {
  auto symbols = *Symbols::Parse(
      "ffffffff81000000 T _stext\n"
      "ffffffff81000010 T cc_platform_has\n"
      "ffffffff81000020 t near_arch\n"
      "ffffffff81000100 T get_task_mm\n"
      "ffffffff81000110 t near_kernel\n"
      "ffffffff81000800 t near_arch.cold\n"
      "ffffffff81000900 T _etext\n"
      "ffffffffc0000000 t open\t[nf_tables]\n");
  Subsystems subsystems(symbols);
  EXPECT_EQ(subsystems.Of(1), "arch");
  EXPECT_EQ(subsystems.Of(3), "kernel");
  EXPECT_EQ(subsystems.Of(4), "arch");
  EXPECT_EQ(subsystems.Of(5), "module-nf-tables");
}

}  // namespace
}  // namespace kiste::bench
