// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <limits>

#include "oci/config_text.h"

namespace kiste::oci {

namespace {

std::string WithSeccomp(const std::string& members) {
  return WithLinux(StrCat(R"("seccomp": {)", members, "}"));
}

std::string WithRule(const std::string& members) {
  return WithSeccomp(StrCat(R"("defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{)", members, "}]"));
}

std::string WithArg(const std::string& members) {
  return WithRule(
      StrCat(R"("names": ["read"], "action": "SCMP_ACT_LOG", "args": [{)", members, "}]"));
}

constexpr char kActions[] =
    "SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_TRAP, SCMP_ACT_ERRNO, "
    "SCMP_ACT_TRACE, SCMP_ACT_ALLOW, SCMP_ACT_LOG, SCMP_ACT_NOTIFY";

}  // namespace

TEST(Seccomp, ReadsEveryMember) {
  Seccomp seccomp = *MustParse(Seed("everything.json")).linux.seccomp;
  EXPECT_EQ(seccomp.default_action, "SCMP_ACT_ERRNO");
  EXPECT_EQ(seccomp.default_errno_ret, 38u);
  EXPECT_EQ(seccomp.architectures, (std::vector<std::string>{"SCMP_ARCH_X86_64", "SCMP_ARCH_X32"}));
  EXPECT_EQ(seccomp.flags, (std::vector<std::string>{"SECCOMP_FILTER_FLAG_LOG"}));
  EXPECT_TRUE(seccomp.flags_given);
  EXPECT_EQ(seccomp.listener_path, "/run/agent.sock");
  EXPECT_EQ(seccomp.listener_metadata, "opaque");
  ASSERT_EQ(seccomp.syscalls.size(), 4u);
  EXPECT_EQ(seccomp.syscalls[0].names, (std::vector<std::string>{"read", "write"}));
  EXPECT_FALSE(seccomp.syscalls[0].errno_ret);
  const SeccompArg& arg = seccomp.syscalls[1].args.at(0);
  EXPECT_EQ(arg.value, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(arg.value_two, 8u);
  EXPECT_EQ(arg.op, "SCMP_CMP_MASKED_EQ");
  EXPECT_EQ(seccomp.syscalls[3].errno_ret, 1u);
}

TEST(Seccomp, TakesAnEmptyProfileForNone) {
  EXPECT_FALSE(MustParse(WithSeccomp("")).linux.seccomp);
  EXPECT_FALSE(MustParse(WithSeccomp(R"("defaultAction": "", "syscalls": [])")).linux.seccomp);
  EXPECT_FALSE(MustParse(WithLinux(R"("seccomp": null)")).linux.seccomp);
}

TEST(Seccomp, TellsAbsentFlagsFromNone) {
  const std::string allow = R"("defaultAction": "SCMP_ACT_ALLOW")";
  EXPECT_FALSE(MustParse(WithSeccomp(allow)).linux.seccomp->flags_given);
  EXPECT_TRUE(MustParse(WithSeccomp(allow + R"(, "flags": [])")).linux.seccomp->flags_given);
}

TEST(Seccomp, RefusesWrongProfiles) {
  const std::string allow = R"("defaultAction": "SCMP_ACT_ALLOW", )";
  ExpectRefusals({
      {WithLinux(R"("seccomp": "unconfined")"),
       R"(linux.seccomp: expected an object, found "unconfined")"},
      {WithSeccomp(R"("syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}])"),
       StrCat("linux.seccomp.defaultAction: expected one of ", kActions, ", found nothing")},
      {WithSeccomp(R"("syscalls": "all")"),
       StrCat("linux.seccomp.defaultAction: expected one of ", kActions, ", found nothing")},
      {WithSeccomp(R"("defaultAction": "allow")"),
       StrCat("linux.seccomp.defaultAction: expected one of ", kActions, R"(, found "allow")")},
      {WithSeccomp(R"("defaultAction": "SCMP_ACT_NOTIFY")"),
       "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be the default action"},
      {WithSeccomp(allow + R"("defaultErrnoRet": 65536)"),
       "linux.seccomp.defaultErrnoRet: expected a whole number from 0 to 65535, found 65536"},
      {WithSeccomp(allow + R"("flags": ["SECCOMP_FILTER_FLAG_NOPE"])"),
       "linux.seccomp.flags[0]: expected one of SECCOMP_FILTER_FLAG_TSYNC, "
       "SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW, "
       R"(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, found "SECCOMP_FILTER_FLAG_NOPE")"},
      {WithSeccomp(allow + R"("listenerMetadata": "x")"),
       "linux.seccomp.listenerMetadata: there is no listenerPath to send it to"},
  });
  auto arch = ParseConfig(WithSeccomp(allow + R"("architectures": ["amd64"])"), "c");
  ASSERT_FALSE(arch);
  EXPECT_TRUE(arch.error().Text().starts_with(
      "c: linux.seccomp.architectures[0]: expected one of SCMP_ARCH_X86, "))
      << arch.error().Text();
}

TEST(Seccomp, RefusesWrongRules) {
  ExpectRefusals({
      {WithRule(R"("action": "SCMP_ACT_LOG")"),
       "linux.seccomp.syscalls[0].names: expected at least one name of a system call, found "
       "nothing"},
      {WithRule(R"("names": [], "action": "SCMP_ACT_LOG")"),
       "linux.seccomp.syscalls[0].names: expected at least one name of a system call, found []"},
      {WithRule(R"("names": ["read", ""], "action": "SCMP_ACT_LOG")"),
       R"(linux.seccomp.syscalls[0].names[1]: expected a system call's name, found "")"},
      {WithRule(R"("names": ["read"], "action": "SCMP_ACT_NOPE")"),
       StrCat("linux.seccomp.syscalls[0].action: expected one of ", kActions,
              R"(, found "SCMP_ACT_NOPE")")},
      {WithRule(R"("names": ["mknod"], "action": "SCMP_ACT_NOTIFY")"),
       "linux.seccomp.listenerPath: missing, and SCMP_ACT_NOTIFY needs it"},
      {WithSeccomp(R"("defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/s", "syscalls": [
           {"names": ["mknod", "write"], "action": "SCMP_ACT_NOTIFY"}])"),
       "linux.seccomp.syscalls[0]: SCMP_ACT_NOTIFY cannot be used for write"},
      {WithArg(R"("index": 6, "value": 0, "op": "SCMP_CMP_EQ")"),
       "linux.seccomp.syscalls[0].args[0].index: expected a whole number from 0 to 5, found 6"},
      {WithArg(R"("index": 0, "op": "SCMP_CMP_EQ")"),
       "linux.seccomp.syscalls[0].args[0].value: expected an unsigned number of 64 bits, found "
       "nothing"},
      {WithArg(R"("index": 0, "value": 1, "op": "==")"),
       "linux.seccomp.syscalls[0].args[0].op: expected one of SCMP_CMP_NE, SCMP_CMP_LT, "
       "SCMP_CMP_LE, SCMP_CMP_EQ, SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ, "
       R"(found "==")"},
  });
}

}  // namespace kiste::oci
