// SPDX-License-Identifier: Apache-2.0
#include "sys/seccomp/reach.h"

#include <gtest/gtest.h>
#include <linux/bpf_common.h>
#include <linux/seccomp.h>

#include "sys/seccomp/seccomp.h"

namespace kiste::sys {

namespace {

Reach Find(const std::vector<ArchitectureReach>& reach, const std::string& architecture,
           const std::string& call) {
  for (const auto& machine : reach) {
    if (machine.architecture != architecture) continue;
    for (const auto& found : machine.calls) {
      if (found.name == call) return found.reach;
    }
  }
  ADD_FAILURE() << architecture << " has no " << call;
  return Reach::kNo;
}

std::vector<ArchitectureReach> ReachOf(const SeccompProfile& profile) {
  return FilterReach(CompileSeccomp(profile).value().filter);
}

const std::string kNative(FilterReach({})[0].architecture);

}  // namespace

TEST(FilterReach, WithoutAFilterEverythingIsReached) {
  auto reach = FilterReach({});
  ASSERT_GE(reach.size(), 2u);
  EXPECT_TRUE(reach[0].native);
  for (const auto& machine : reach) {
    EXPECT_GT(machine.calls.size(), 300u) << machine.architecture;
    for (const auto& call : machine.calls) EXPECT_EQ(call.reach, Reach::kYes) << call.name;
  }
}

TEST(FilterReach, AnAllowListIsWhatItLists) {
  auto reach = ReachOf({.default_action = "SCMP_ACT_ERRNO",
                        .syscalls = {{.names = {"read", "write"}, .action = "SCMP_ACT_ALLOW"},
                                     {.names = {"close"}, .action = "SCMP_ACT_LOG"}}});
  EXPECT_EQ(Find(reach, kNative, "read"), Reach::kYes);
  EXPECT_EQ(Find(reach, kNative, "close"), Reach::kYes);
  EXPECT_EQ(Find(reach, kNative, "ptrace"), Reach::kNo);
  size_t open = 0;
  for (const auto& call : reach[0].calls) open += call.reach != Reach::kNo;
  EXPECT_EQ(open, 3u);
}

TEST(FilterReach, ADenyListLeavesTheRest) {
  auto reach = ReachOf({.default_action = "SCMP_ACT_ALLOW",
                        .syscalls = {{.names = {"bpf"}, .action = "SCMP_ACT_KILL_PROCESS"}}});
  EXPECT_EQ(Find(reach, kNative, "bpf"), Reach::kNo);
  EXPECT_EQ(Find(reach, kNative, "ptrace"), Reach::kYes);
}

TEST(FilterReach, AConditionOnAnArgumentMakesItPartly) {
  auto reach = ReachOf({.default_action = "SCMP_ACT_ERRNO",
                        .syscalls = {{.names = {"personality"},
                                      .action = "SCMP_ACT_ALLOW",
                                      .args = {{0, 8, 0, "SCMP_CMP_EQ"}}},
                                     {.names = {"unshare"},
                                      .action = "SCMP_ACT_ALLOW",
                                      .args = {{0, 0x7e020000, 0, "SCMP_CMP_MASKED_EQ"}}}}});
  EXPECT_EQ(Find(reach, kNative, "personality"), Reach::kPartly);
  EXPECT_EQ(Find(reach, kNative, "unshare"), Reach::kPartly);
}

TEST(FilterReach, WhatAnotherProcessDecidesIsPartly) {
  auto reach = ReachOf({.default_action = "SCMP_ACT_ERRNO",
                        .syscalls = {{.names = {"mount"}, .action = "SCMP_ACT_NOTIFY"},
                                     {.names = {"swapon"}, .action = "SCMP_ACT_TRACE"}}});
  EXPECT_EQ(Find(reach, kNative, "mount"), Reach::kPartly);
  EXPECT_EQ(Find(reach, kNative, "swapon"), Reach::kPartly);
}

TEST(FilterReach, AConstantComputedOnTheWayIsKnown) {
  // A number masked with itself: the branch that no call takes must not be walked.
  std::vector<sock_filter> filter = {{BPF_LD | BPF_IMM, 0, 0, 12},
                                     {BPF_ALU | BPF_AND | BPF_K, 0, 0, 4},
                                     {BPF_ST, 0, 0, 3},
                                     {BPF_LD | BPF_MEM, 0, 0, 3},
                                     {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 4},
                                     {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
                                     {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS}};
  EXPECT_EQ(Find(FilterReach(filter), kNative, "read"), Reach::kYes);
}

#if defined(__x86_64__)
TEST(FilterReach, OtherArchitecturesAreOpenOnlyWhenTheProfileSaysSo) {
  SeccompProfile profile{.default_action = "SCMP_ACT_ERRNO",
                         .syscalls = {{.names = {"read"}, .action = "SCMP_ACT_ALLOW"}}};
  auto closed = ReachOf(profile);
  EXPECT_EQ(Find(closed, "x86", "read"), Reach::kNo);
  EXPECT_EQ(Find(closed, "x32", "read"), Reach::kNo);
  profile.architectures = {"SCMP_ARCH_X86", "SCMP_ARCH_X32"};
  auto open = ReachOf(profile);
  EXPECT_EQ(Find(open, "x86", "read"), Reach::kYes);
  EXPECT_EQ(Find(open, "x32", "read"), Reach::kYes);
  EXPECT_EQ(Find(open, "x86", "ptrace"), Reach::kNo);
}
#endif

}  // namespace kiste::sys
