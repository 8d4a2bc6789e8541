// SPDX-License-Identifier: Apache-2.0
//
// Profiles with several rules of one call, compiled and held against their words. The call is
// getppid, the machine x86_64.
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <random>

#include "sys/seccomp/bpf_interpreter.h"
#include "sys/seccomp/seccomp.h"
#include "sys/seccomp/words.h"

namespace kiste::sys {
namespace {

constexpr uint64_t kHigh = uint64_t{1} << 32;
constexpr uint64_t kValues[] = {0, 1, 2, 3, kHigh, kHigh + 1, 2 * kHigh + 1, ~uint64_t{0}};

bool Holds(const SeccompArg& arg, uint64_t value) {
  if (arg.op == "SCMP_CMP_NE") return value != arg.value;
  if (arg.op == "SCMP_CMP_LT") return value < arg.value;
  if (arg.op == "SCMP_CMP_LE") return value <= arg.value;
  if (arg.op == "SCMP_CMP_EQ") return value == arg.value;
  if (arg.op == "SCMP_CMP_GE") return value >= arg.value;
  if (arg.op == "SCMP_CMP_GT") return value > arg.value;
  return (value & arg.value) == arg.value_two;
}

// What the words say: the strictest action of the rules that are met, or the default.
uint32_t Meant(const SeccompProfile& profile, const seccomp_data& data) {
  std::vector<uint32_t> met;
  for (const auto& rule : profile.syscalls) {
    auto holds = [&](const SeccompArg& arg) { return Holds(arg, data.args[arg.index]); };
    if (!std::ranges::all_of(rule.args, holds)) continue;
    met.push_back(*ActionValue(rule.action, rule.errno_ret));
  }
  if (met.empty()) return *ActionValue(profile.default_action, profile.default_errno_ret);
  return std::ranges::min(met, {}, [](uint32_t it) { return static_cast<int32_t>(it); });
}

std::string Text(const SeccompProfile& profile) {
  std::string text;
  for (const auto& rule : profile.syscalls) {
    text += rule.action + " [";
    for (const auto& arg : rule.args) {
      text += " " + std::to_string(arg.index) + " " + arg.op + " " + std::to_string(arg.value) +
              "/" + std::to_string(arg.value_two);
    }
    text += " ] ";
  }
  return text;
}

seccomp_data Call(uint64_t a, uint64_t b, uint64_t c) {
  seccomp_data data{.nr = 110, .arch = AUDIT_ARCH_X86_64};  // getppid
  data.args[0] = a;
  data.args[1] = b;
  data.args[2] = c;
  return data;
}

// Every combination of kValues for three arguments.
void ExpectMeant(const SeccompProfile& profile) {
  auto program = CompileSeccomp(profile);
  ASSERT_TRUE(program) << program.error().Text() << Text(profile);
  for (uint64_t a : kValues) {
    for (uint64_t b : kValues) {
      for (uint64_t c : kValues) {
        auto data = Call(a, b, c);
        ASSERT_EQ(Interpret(program->filter, data).action, Meant(profile, data))
            << Text(profile) << "called with " << a << ", " << b << ", " << c;
      }
    }
  }
}

SeccompSyscall Rule(std::string action, std::vector<SeccompArg> args) {
  return {.names = {"getppid"}, .action = std::move(action), .args = std::move(args)};
}

SeccompProfile DenyList(std::vector<SeccompSyscall> rules) {
  return {.default_action = "SCMP_ACT_ALLOW", .syscalls = std::move(rules)};
}

class SeccompApart : public testing::Test {
 protected:
  void SetUp() override {
#ifndef __x86_64__
    GTEST_SKIP() << "SKIPPED LOUDLY: written for x86_64";
#endif
  }
};

TEST_F(SeccompApart, WhatLibseccompNeverEndsWith) {
  ExpectMeant(DenyList(
      {Rule("SCMP_ACT_KILL_THREAD", {{1, 18, 0, "SCMP_CMP_GE"}, {0, 3, 0, "SCMP_CMP_LT"}}),
       Rule("SCMP_ACT_KILL_THREAD", {{2, 18, 0, "SCMP_CMP_GE"}, {0, 3, 0, "SCMP_CMP_LT"}})}));
}

TEST_F(SeccompApart, WhatLibseccompLetsThrough) {
  ExpectMeant(DenyList({Rule("SCMP_ACT_ERRNO", {{2, 2, 0, "SCMP_CMP_LE"}}),
                        Rule("SCMP_ACT_ERRNO", {{2, kHigh + 1, 0, "SCMP_CMP_LT"}})}));
  ExpectMeant(
      DenyList({Rule("SCMP_ACT_ERRNO", {{2, 0, 0, "SCMP_CMP_EQ"}, {1, 3, 0, "SCMP_CMP_EQ"}}),
                Rule("SCMP_ACT_ERRNO", {{2, 0, 0, "SCMP_CMP_NE"}})}));
}

TEST_F(SeccompApart, WhatLibseccompRefusesToo) {
  ExpectMeant(DenyList({Rule("SCMP_ACT_ERRNO", {{0, 2 * kHigh + 1, 0, "SCMP_CMP_GE"}}),
                        Rule("SCMP_ACT_ERRNO", {{0, 2, 0, "SCMP_CMP_LT"}})}));
}

TEST_F(SeccompApart, TheStrictestOfTheRulesThatAreMetCounts) {
  auto narrow = Rule("SCMP_ACT_ERRNO", {{0, 2, 0, "SCMP_CMP_GT"}});
  auto wide = Rule("SCMP_ACT_LOG", {{0, 1, 0, "SCMP_CMP_GT"}});
  ExpectMeant(DenyList({narrow, wide}));
  ExpectMeant(DenyList({wide, narrow}));
}

TEST_F(SeccompApart, ARuleWithoutConditionsCountsWhateverTheOthersSay) {
  auto always = Rule("SCMP_ACT_LOG", {});
  auto sometimes = Rule("SCMP_ACT_ERRNO", {{0, 2, 0, "SCMP_CMP_GT"}});
  for (const auto& rules : {std::vector{always, sometimes}, std::vector{sometimes, always}}) {
    auto program = CompileSeccomp(DenyList(rules));
    ASSERT_TRUE(program) << program.error().Text();
    EXPECT_EQ(Interpret(program->filter, Call(0, 0, 0)).action, SECCOMP_RET_LOG);
    EXPECT_EQ(Interpret(program->filter, Call(3, 0, 0)).action, SECCOMP_RET_LOG);
  }
}

TEST_F(SeccompApart, TheSameConditionsWithAnotherActionContradict) {
  auto program = CompileSeccomp(DenyList({Rule("SCMP_ACT_LOG", {{0, 2, 0, "SCMP_CMP_GT"}}),
                                          Rule("SCMP_ACT_ERRNO", {{0, 2, 0, "SCMP_CMP_GT"}})}));
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().Text(),
            "syscalls[1].names: \"getppid\" has a rule with the same args and another action");
}

TEST_F(SeccompApart, OtherCallsAndArchitecturesAreNotTouched) {
  auto profile = DenyList({Rule("SCMP_ACT_ERRNO", {{0, 2, 0, "SCMP_CMP_GT"}}),
                           Rule("SCMP_ACT_ERRNO", {{1, 2, 0, "SCMP_CMP_GT"}}),
                           {.names = {"getpid"}, .action = "SCMP_ACT_LOG"}});
  auto program = CompileSeccomp(profile);
  ASSERT_TRUE(program) << program.error().Text();
  auto action = [&](int number, uint32_t arch) {
    seccomp_data data{.nr = number, .arch = arch};
    std::ranges::fill(data.args, 3);
    return Interpret(program->filter, data).action;
  };
  EXPECT_EQ(action(110, AUDIT_ARCH_X86_64), SECCOMP_RET_ERRNO | EPERM);
  EXPECT_EQ(action(39, AUDIT_ARCH_X86_64), SECCOMP_RET_LOG);  // getpid
  EXPECT_EQ(action(102, AUDIT_ARCH_X86_64), SECCOMP_RET_ALLOW);
  EXPECT_EQ(action(110, AUDIT_ARCH_I386), SECCOMP_RET_KILL_THREAD);
  EXPECT_EQ(action(110 | 1 << 30, AUDIT_ARCH_X86_64), SECCOMP_RET_KILL_THREAD);
}

TEST_F(SeccompApart, AnyRulesSayWhatTheirWordsSay) {
  constexpr int kProfiles = 600;
  constexpr const char* kOperators[] = {"SCMP_CMP_NE",       "SCMP_CMP_LT", "SCMP_CMP_LE",
                                        "SCMP_CMP_EQ",       "SCMP_CMP_GE", "SCMP_CMP_GT",
                                        "SCMP_CMP_MASKED_EQ"};
  std::mt19937 random(1);  // NOLINT: the same profiles each time
  auto any = [&](size_t below) {
    return std::uniform_int_distribution<size_t>(0, below - 1)(random);
  };
  for (int i = 0; i < kProfiles && !HasFatalFailure(); ++i) {
    SeccompProfile profile = DenyList({});
    for (size_t rules = 2 + any(4); rules > 0; --rules) {
      std::vector<uint32_t> indices = {0, 1, 2};
      std::ranges::shuffle(indices, random);
      std::vector<SeccompArg> args;
      for (size_t left = 1 + any(indices.size()); left > 0; --left) {
        SeccompArg arg{indices[left - 1], kValues[any(std::size(kValues))], 0,
                       kOperators[any(std::size(kOperators))]};
        if (arg.op == "SCMP_CMP_MASKED_EQ")
          arg.value_two = arg.value & kValues[any(std::size(kValues))];
        args.push_back(std::move(arg));
      }
      profile.syscalls.push_back(Rule("SCMP_ACT_ERRNO", std::move(args)));
    }
    ExpectMeant(profile);
  }
}

}  // namespace
}  // namespace kiste::sys
