// SPDX-License-Identifier: Apache-2.0
#include "seccomp_profile.h"

#include <gtest/gtest.h>

namespace kiste::perf {
namespace {

constexpr const char* kProfile = R"({
"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"defaultErrno":"ENOSYS",
"archMap":[{"architecture":"SCMP_ARCH_AARCH64","subArchitectures":["SCMP_ARCH_ARM"]},
           {"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86","SCMP_ARCH_X32"]}],
"syscalls":[
 {"names":["read"],"action":"SCMP_ACT_ALLOW","args":[],"comment":"","includes":{},"excludes":{}},
 {"names":["arm_only"],"action":"SCMP_ACT_ALLOW","args":null,"includes":{"arches":["arm","arm64"]},"excludes":{}},
 {"names":["x86_only"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["amd64","x32"]}},
 {"names":["with_cap"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_SYS_ADMIN"]}},
 {"names":["without_cap"],"action":"SCMP_ACT_ERRNO","excludes":{"caps":["CAP_SYS_ADMIN"]},
  "errnoRet":1,"errno":"EPERM"},
 {"names":["held"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_SYS_CHROOT"]},
  "args":[{"index":0,"value":8,"valueTwo":0,"op":"SCMP_CMP_EQ"}]},
 {"names":["new_kernel"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"4.8"}},
 {"names":["newer_kernel"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"6.20"}}]})";

ProfileContext Context() { return {"amd64", "SCMP_ARCH_X86_64", {"CAP_SYS_CHROOT"}, {6, 3}}; }

TEST(SeccompProfileTest, KeepsTheRulesThatApply) {
  const auto profile = Json::Parse(kProfile);
  ASSERT_TRUE(profile) << profile.error().text;
  const auto translated = TranslateSeccompProfile(*profile, Context());
  ASSERT_TRUE(translated) << translated.error().text;
  EXPECT_EQ(
      translated->Dump(),
      R"({"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,)"
      R"("architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"],"syscalls":[)"
      R"({"names":["read"],"action":"SCMP_ACT_ALLOW"},)"
      R"({"names":["x86_only"],"action":"SCMP_ACT_ALLOW"},)"
      R"({"names":["without_cap"],"action":"SCMP_ACT_ERRNO","errnoRet":1},)"
      R"({"names":["held"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":8,"valueTwo":0,"op":"SCMP_CMP_EQ"}]},)"
      R"({"names":["new_kernel"],"action":"SCMP_ACT_ALLOW"}]})");
}

TEST(SeccompProfileTest, RefusesWhatIsNoProfile) {
  EXPECT_FALSE(TranslateSeccompProfile(*Json::Parse("{}"), Context()));
  EXPECT_FALSE(TranslateSeccompProfile(
      *Json::Parse(
          R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"action":"SCMP_ACT_ALLOW"}]})"),
      Context()));
}

}  // namespace
}  // namespace kiste::perf
