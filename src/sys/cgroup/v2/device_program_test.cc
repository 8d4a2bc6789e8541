// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup/v2/device_program.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <random>

#include "base/fd.h"
#include "sys/cgroup/device_rules.h"

namespace kiste::sys::cgroup::v2 {
namespace {

struct Question {
  bool block;
  uint32_t major, minor;
  uint8_t access;
};

// Interprets the instructions that such programs consist of; -1 for a program that is wrong.
int Execute(const std::vector<bpf_insn>& program, const Question& question) {
  bpf_cgroup_dev_ctx context{};
  auto type = question.block ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
  context.access_type =
      (static_cast<uint32_t>(question.access) << 16) | static_cast<uint32_t>(type);
  context.major = question.major;
  context.minor = question.minor;
  uint64_t registers[11] = {};
  for (size_t at = 0; at < program.size(); ++at) {
    const bpf_insn& insn = program[at];
    uint64_t& to = registers[insn.dst_reg];
    uint64_t immediate = static_cast<uint64_t>(static_cast<int64_t>(insn.imm));
    switch (insn.code) {
      case BPF_LDX | BPF_MEM | BPF_W: {
        uint32_t word;
        memcpy(&word, reinterpret_cast<const char*>(&context) + insn.off, sizeof word);
        to = word;
        break;
      }
      case BPF_ALU64 | BPF_MOV | BPF_X:
        to = registers[insn.src_reg];
        break;
      case BPF_ALU64 | BPF_MOV | BPF_K:
        to = immediate;
        break;
      case BPF_ALU64 | BPF_AND | BPF_K:
        to &= immediate;
        break;
      case BPF_ALU64 | BPF_RSH | BPF_K:
        to >>= immediate;
        break;
      case BPF_JMP | BPF_JNE | BPF_K:
        if (to != immediate) at += static_cast<size_t>(insn.off);
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        if (to == immediate) at += static_cast<size_t>(insn.off);
        break;
      case BPF_JMP | BPF_EXIT:
        return static_cast<int>(registers[0]);
      default:
        return -1;
    }
  }
  return -1;
}

// The meaning, straight from device_rules.h: each access asked for is decided by the last rule that
// names the device and the access.
bool Expected(const std::vector<DeviceRule>& rules, const Question& question) {
  for (uint8_t bit : {kDeviceMknod, kDeviceRead, kDeviceWrite}) {
    if ((question.access & bit) == 0) continue;
    bool allowed = false;
    for (const auto& rule : rules) {
      bool type = rule.type == 'a' || (rule.type == 'b') == question.block;
      bool major = rule.major < 0 || rule.major == question.major;
      bool minor = rule.minor < 0 || rule.minor == question.minor;
      if (type && major && minor && (CheckDeviceRule(rule).value() & bit)) allowed = rule.allow;
    }
    if (!allowed) return false;
  }
  return true;
}

// Loads the program into the kernel, whose verifier says whether it is a correct one.
Fd Load(const std::vector<bpf_insn>& program, std::string& log) {
  log.assign(1 << 16, '\0');
  bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = reinterpret_cast<uint64_t>(program.data());
  attributes.insn_cnt = static_cast<uint32_t>(program.size());
  attributes.license = reinterpret_cast<uint64_t>("Apache-2.0");
  attributes.log_level = 1;
  attributes.log_buf = reinterpret_cast<uint64_t>(log.data());
  attributes.log_size = static_cast<uint32_t>(log.size());
  return Fd(static_cast<int>(syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes)));
}

std::vector<DeviceRule> Typical() {
  return {{.allow = false},          {true, 'c', -1, -1, "m"},    {true, 'b', -1, -1, "m"},
          {true, 'c', 1, 3, "rwm"},  {true, 'c', 136, -1, "rwm"}, {true, 'b', 8, 0, "r"},
          {true, 'c', 10, -1, "rw"}, {false, 'c', 10, 200, "w"}};
}

TEST(DeviceProgramTest, DecidesTheTypicalList) {
  auto program = CompileDeviceRules(Typical());
  ASSERT_TRUE(program);
  constexpr uint8_t kReadWrite = kDeviceRead | kDeviceWrite;
  EXPECT_EQ(Execute(*program, {false, 1, 3, kReadWrite}), 1);
  EXPECT_EQ(Execute(*program, {false, 1, 4, kDeviceRead}), 0);
  EXPECT_EQ(Execute(*program, {false, 1, 4, kDeviceMknod}), 1);
  EXPECT_EQ(Execute(*program, {true, 1, 3, kDeviceRead}), 0);
  EXPECT_EQ(Execute(*program, {false, 136, 77, kReadWrite}), 1);
  EXPECT_EQ(Execute(*program, {true, 8, 0, kDeviceRead}), 1);
  EXPECT_EQ(Execute(*program, {true, 8, 0, kReadWrite}), 0);
  EXPECT_EQ(Execute(*program, {false, 10, 200, kDeviceRead}), 1);
  EXPECT_EQ(Execute(*program, {false, 10, 200, kReadWrite}), 0);
  EXPECT_EQ(Execute(*program, {false, 10, 229, kReadWrite}), 1);
}

TEST(DeviceProgramTest, EmptyMeansDenied) {
  auto program = CompileDeviceRules({});
  ASSERT_TRUE(program);
  EXPECT_EQ(Execute(*program, {false, 1, 3, kDeviceRead}), 0);
}

TEST(DeviceProgramTest, RefusesNonsense) {
  EXPECT_FALSE(CompileDeviceRules({{true, 'c', 1, 3, "rx"}, {.allow = true}}));
}

TEST(DeviceProgramTest, AnyListMeansWhatTheRulesSay) {
  std::mt19937 random(20240501);
  auto pick = [&](auto... choices) {
    std::array values{choices...};
    return values[random() % sizeof...(choices)];
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<DeviceRule> rules(random() % 8);
    for (auto& rule : rules) {
      rule = {random() % 2 == 0, pick('a', 'b', 'c'), pick(-1, 0, 1), pick(-1, 0, 1),
              pick("r", "w", "m", "rw", "rwm", "")};
    }
    auto program = CompileDeviceRules(rules);
    ASSERT_TRUE(program);
    for (bool block : {false, true}) {
      for (uint32_t number = 0; number < 4; ++number) {
        for (uint8_t access = 1; access <= kDeviceAll; ++access) {
          Question question{block, number / 2, number % 2, access};
          ASSERT_EQ(Execute(*program, question), Expected(rules, question) ? 1 : 0)
              << "round " << round;
        }
      }
    }
  }
}

TEST(DeviceProgramTest, TheKernelsVerifierAccepts) {
  std::string log;
  if (!Load(*CompileDeviceRules({}), log)) {
    GTEST_SKIP() << "BPF programs cannot be loaded here: " << strerror(errno);
  }
  const std::vector<std::vector<DeviceRule>> lists = {
      Typical(),
      {{.allow = true}},
      {{.allow = true}, {.allow = false}},
      {{true, 'a', -1, -1, "r"}, {true, 'a', -1, -1, "wm"}},
      {{false, 'a', -1, -1, "w"}, {.allow = true}, {false, 'a', 5, -1, "w"}}};
  for (const auto& rules : lists) {
    auto program = CompileDeviceRules(rules);
    ASSERT_TRUE(program);
    EXPECT_TRUE(Load(*program, log)) << strerror(errno) << "\n" << log.c_str();
  }
}

}  // namespace
}  // namespace kiste::sys::cgroup::v2
