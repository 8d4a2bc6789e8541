// SPDX-License-Identifier: Apache-2.0
//
// The profile that podman gives to every container, compiled and held against what it says: every
// number of every architecture in it, and the running kernel.
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/personality.h>
#include <sys/socket.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "base/json.h"
#include "sys/seccomp/bpf_interpreter.h"
#include "sys/seccomp/filtered_child.h"
#include "sys/seccomp/words.h"

namespace kiste::sys {
namespace {

constexpr const char* kProfile = "/usr/share/containers/seccomp.json";
constexpr uint32_t kX32Bit = 1U << 30;

bool Overlap(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::ranges::any_of(a, [&](const auto& word) { return std::ranges::count(b, word) != 0; });
}

// Podman's own form has conditions on capabilities and architectures; they are decided here as
// podman does for a container with its default capabilities on amd64.
Result<bool> Applies(const json::Value& rule) {
  const std::vector<std::string> caps = {"CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FOWNER",
                                         "CAP_FSETID",  "CAP_KILL",         "CAP_NET_BIND_SERVICE",
                                         "CAP_SETFCAP", "CAP_SETGID",       "CAP_SETPCAP",
                                         "CAP_SETUID",  "CAP_SYS_CHROOT"};
  const std::vector<std::string> arches = {"amd64"};
  auto need_caps = TRY(rule["includes"]["caps"].Strings());
  auto need_arches = TRY(rule["includes"]["arches"].Strings());
  auto bar_caps = TRY(rule["excludes"]["caps"].Strings());
  auto bar_arches = TRY(rule["excludes"]["arches"].Strings());
  return (need_caps.empty() || Overlap(need_caps, caps)) &&
         (need_arches.empty() || Overlap(need_arches, arches)) && !Overlap(bar_caps, caps) &&
         !Overlap(bar_arches, arches);
}

Result<SeccompArg> ParseArg(const json::Value& value) {
  SeccompArg arg;
  arg.index = TRY(value["index"].Uint32());
  arg.value = TRY(value["value"].Uint());
  arg.value_two = TRY(value["valueTwo"].Uint());
  arg.op = TRY(value["op"].String());
  return arg;
}

Result<SeccompSyscall> ParseRule(const json::Value& rule) {
  SeccompSyscall call;
  call.names = TRY(rule["names"].Strings());
  call.action = TRY(rule["action"].String());
  if (rule["errnoRet"]) call.errno_ret = TRY(rule["errnoRet"].Uint32());
  auto each = [&call](const json::Value& value) -> Status {
    call.args.push_back(TRY(ParseArg(value)));
    return {};
  };
  TRY(rule["args"].ForEach(each));
  return call;
}

Result<SeccompProfile> ParseProfile(std::string text) {
  auto document = TRY(json::Document::Parse(std::move(text), kProfile));
  auto root = document.root();
  SeccompProfile profile;
  profile.default_action = TRY(root["defaultAction"].String());
  profile.default_errno_ret = TRY(root["defaultErrnoRet"].Uint32());
  profile.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
  auto each = [&profile](const json::Value& rule) -> Status {
    bool applies = TRY(Applies(rule));
    if (applies) profile.syscalls.push_back(TRY(ParseRule(rule)));
    return {};
  };
  TRY(root["syscalls"].ForEach(each));
  return profile;
}

class PodmanProfile : public testing::Test {
 protected:
  void SetUp() override {
#ifndef __x86_64__
    GTEST_SKIP() << "SKIPPED LOUDLY: written for x86_64";
#endif
    std::ifstream file(kProfile);
    if (!file) GTEST_SKIP() << "SKIPPED LOUDLY: " << kProfile << " is missing";
    std::stringstream text;
    text << file.rdbuf();
    auto profile = ParseProfile(text.str());
    ASSERT_TRUE(profile) << profile.error().Text();
    profile_ = *std::move(profile);
  }

  SeccompProfile profile_;
};

// The profile read literally: what each name gets; nothing for a name with conditions.
std::map<std::string, std::optional<uint32_t>> Literal(const SeccompProfile& profile) {
  std::map<std::string, std::optional<uint32_t>> actions;
  for (const auto& rule : profile.syscalls) {
    for (const auto& name : rule.names) {
      auto action = *ActionValue(rule.action, rule.errno_ret);
      auto [at, added] = actions.try_emplace(name, action);
      if (!rule.args.empty()) at->second.reset();
    }
  }
  // On i386 socketcall(2) makes sockets, too.
  actions["socketcall"].reset();
  return actions;
}

// The name of system call `number` on an architecture; empty when there is none.
std::string NameOf(uint32_t token, uint32_t number) {
  char* name = seccomp_syscall_resolve_num_arch(token, static_cast<int>(number));
  std::string text = name != nullptr ? name : "";
  free(name);
  return text;
}

struct Depth {
  int calls = 0, deepest = 0;
  long steps = 0;
};

// Holds `program` against the profile on one architecture, for every number. Above the largest
// number that is named, the answer is ENOSYS.
Depth Compare(const SeccompProfile& profile, const SeccompProgram& program, uint32_t token,
              uint32_t audit_arch, uint32_t bits) {
  Depth depth;
  auto literal = Literal(profile);
  uint32_t fallback = *ActionValue(profile.default_action, profile.default_errno_ret);
  for (uint32_t i = 1000; i-- > 0;) {
    std::string name = NameOf(token, i | bits);
    auto found = literal.find(name);
    bool named = found != literal.end();
    if (named && !found->second) continue;
    uint32_t other = depth.calls == 0 ? SCMP_ACT_ERRNO(ENOSYS) : fallback;
    seccomp_data data{};
    data.nr = static_cast<int>(i | bits);
    data.arch = audit_arch;
    auto verdict = Interpret(program.filter, data);
    EXPECT_EQ(verdict.action, named ? *found->second : other) << i << " " << name;
    if (!named) continue;
    ++depth.calls;
    depth.steps += verdict.steps;
    depth.deepest = std::max(depth.deepest, verdict.steps);
  }
  EXPECT_GT(depth.calls, 300);
  return depth;
}

TEST_F(PodmanProfile, SaysTheSameCompiledForEveryNumber) {
  for (uint32_t default_errno : {uint32_t{ENOSYS}, uint32_t{EPERM}}) {
    profile_.default_errno_ret = default_errno;
    auto program = CompileSeccomp(profile_);
    ASSERT_TRUE(program) << program.error().Text();
    auto native = Compare(profile_, *program, SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, 0);
    auto i386 = Compare(profile_, *program, SCMP_ARCH_X86, AUDIT_ARCH_I386, 0);
    auto x32 = Compare(profile_, *program, SCMP_ARCH_X32, AUDIT_ARCH_X86_64, kX32Bit);
    for (const auto& depth : {native, i386, x32}) {
      std::cout << "default " << default_errno << ": " << program->filter.size()
                << " instructions; " << depth.calls << " calls take "
                << static_cast<double>(depth.steps) / depth.calls << " on average, at most "
                << depth.deepest << "\n";
      EXPECT_LT(depth.steps / depth.calls, 40) << "the tree is no tree";
    }
  }
}

TEST_F(PodmanProfile, HoldsInTheKernel) {
  auto program = CompileSeccomp(profile_);
  ASSERT_TRUE(program) << program.error().Text();
  auto outcome = Under(*program, [](long* value, int) {
    value[0] = Call(SYS_getppid);
    value[1] = Call(SYS_personality, 0xffffffffL);
    value[2] = Call(SYS_personality, 0x0040000L);
    value[3] = Call(SYS_socket, AF_NETLINK, SOCK_RAW, 9);
    value[4] = Call(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
    value[5] = Call(SYS_clone3, nullptr, 0);
    value[6] = Call(SYS_bpf, 0, nullptr, 0);
    value[7] = Call(600);
    value[8] = Call(SYS_chroot, nullptr);
  });
  ASSERT_TRUE(outcome.exited());
  EXPECT_EQ(outcome.value[0], getpid());
  EXPECT_GE(outcome.value[1], 0);
  EXPECT_EQ(outcome.value[2], -ENOSYS);
  EXPECT_EQ(outcome.value[3], -EINVAL);
  EXPECT_GE(outcome.value[4], 0);
  EXPECT_EQ(outcome.value[5], -EINVAL);
  EXPECT_EQ(outcome.value[6], -EPERM);
  EXPECT_EQ(outcome.value[7], -ENOSYS);
  EXPECT_EQ(outcome.value[8], -EFAULT);
}

}  // namespace
}  // namespace kiste::sys
