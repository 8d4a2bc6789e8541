// SPDX-License-Identifier: Apache-2.0
#include "sys/seccomp/enosys.h"

#include <gtest/gtest.h>
#include <seccomp.h>

#include <cerrno>

#include "sys/seccomp/bpf_interpreter.h"

namespace kiste::sys {
namespace {

constexpr uint32_t kX32Bit = 1U << 30;
constexpr uint32_t kEnosys = SECCOMP_RET_ERRNO | ENOSYS;
constexpr uint32_t kFilter = SECCOMP_RET_KILL_PROCESS;  // what the filter behind the stub answers

uint32_t Answer(std::span<const LastSyscall> last, uint32_t audit_arch, uint32_t number) {
  auto program = EnosysStub(last);
  program.push_back(BPF_STMT(BPF_RET | BPF_K, kFilter));
  seccomp_data data{};
  data.nr = static_cast<int>(number);
  data.arch = audit_arch;
  auto verdict = Interpret(program, data);
  EXPECT_GT(verdict.steps, 0);
  return verdict.action;
}

TEST(EnosysStub, IsEmptyWithoutArchitectures) { EXPECT_TRUE(EnosysStub({}).empty()); }

TEST(EnosysStub, DrawsTheLineForEachArchitecture) {
  const LastSyscall last[] = {{SCMP_ARCH_X86_64, 300}, {SCMP_ARCH_X86, 400}, {SCMP_ARCH_ARM, 500}};
  EXPECT_EQ(Answer(last, AUDIT_ARCH_X86_64, 300), kFilter);
  EXPECT_EQ(Answer(last, AUDIT_ARCH_X86_64, 301), kEnosys);
  EXPECT_EQ(Answer(last, AUDIT_ARCH_I386, 301), kFilter);
  EXPECT_EQ(Answer(last, AUDIT_ARCH_I386, 401), kEnosys);
  EXPECT_EQ(Answer(last, AUDIT_ARCH_ARM, 401), kFilter);
  EXPECT_EQ(Answer(last, AUDIT_ARCH_ARM, 501), kEnosys);
  EXPECT_EQ(Answer(last, AUDIT_ARCH_ARM, UINT32_MAX), kEnosys);
  EXPECT_EQ(Answer(last, AUDIT_ARCH_AARCH64, 501), kFilter);
}

TEST(EnosysStub, TellsX32ByItsBit) {
  const LastSyscall both[] = {{SCMP_ARCH_X32, kX32Bit | 200}, {SCMP_ARCH_X86_64, 300}};
  EXPECT_EQ(Answer(both, AUDIT_ARCH_X86_64, 300), kFilter);
  EXPECT_EQ(Answer(both, AUDIT_ARCH_X86_64, 301), kEnosys);
  EXPECT_EQ(Answer(both, AUDIT_ARCH_X86_64, kX32Bit | 200), kFilter);
  EXPECT_EQ(Answer(both, AUDIT_ARCH_X86_64, kX32Bit | 201), kEnosys);
  const LastSyscall only_x32[] = {{SCMP_ARCH_X32, kX32Bit | 200}};
  EXPECT_EQ(Answer(only_x32, AUDIT_ARCH_X86_64, 301), kFilter);
  EXPECT_EQ(Answer(only_x32, AUDIT_ARCH_X86_64, kX32Bit | 201), kEnosys);
  const LastSyscall only_64[] = {{SCMP_ARCH_X86_64, 300}};
  EXPECT_EQ(Answer(only_64, AUDIT_ARCH_X86_64, kX32Bit | 201), kFilter);
  EXPECT_EQ(Answer(only_64, AUDIT_ARCH_X86_64, 301), kEnosys);
}

TEST(EnosysStub, S390SetupStandsForUnknownCalls) {
  const LastSyscall last[] = {{SCMP_ARCH_S390X, 300}, {SCMP_ARCH_S390, 310}};
  for (uint32_t arch : {uint32_t{AUDIT_ARCH_S390X}, uint32_t{AUDIT_ARCH_S390}}) {
    EXPECT_EQ(Answer(last, arch, 0), kEnosys);
    EXPECT_EQ(Answer(last, arch, 1), kFilter);
    EXPECT_EQ(Answer(last, arch, 300), kFilter);
    EXPECT_EQ(Answer(last, arch, 311), kEnosys);
  }
}

}  // namespace
}  // namespace kiste::sys
