// SPDX-License-Identifier: Apache-2.0
#include "sys/seccomp/enosys.h"

#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <iterator>

namespace kiste::sys {

namespace {

constexpr uint32_t kX32Bit = 1U << 30;
constexpr uint32_t kNothingAbove = UINT32_MAX;

// One value of seccomp_data.arch. x86_64 and x32 share it and are told apart by bit 30 of the
// number; a member that is not in the profile has nothing above it.
struct Section {
  uint32_t audit_arch = 0;
  uint32_t last = kNothingAbove;
  uint32_t last_x32 = kNothingAbove;
};

// A section's last instruction jumps over the rest of the stub; which distance that is, is filled
// in when the stub is whole.
constexpr sock_filter kToFilter = BPF_STMT(BPF_JMP | BPF_JA, 0);
constexpr sock_filter kEnosys = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
constexpr sock_filter kLoadNumber = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
constexpr sock_filter kLoadArchitecture =
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));

constexpr sock_filter JumpIf(uint16_t condition, uint32_t value, uint8_t if_true,
                             uint8_t if_false) {
  return {static_cast<uint16_t>(BPF_JMP | condition | BPF_K), if_true, if_false, value};
}

std::vector<Section> Sections(std::span<const LastSyscall> last) {
  std::vector<Section> sections;
  for (const auto& entry : last) {
    bool x32 = entry.architecture == SCMP_ARCH_X32;
    uint32_t audit_arch = x32 ? AUDIT_ARCH_X86_64 : entry.architecture;
    auto found = std::ranges::find(sections, audit_arch, &Section::audit_arch);
    if (found == sections.end()) {
      found = sections.insert(sections.end(), Section{.audit_arch = audit_arch});
    }
    (x32 ? found->last_x32 : found->last) = entry.number;
  }
  return sections;
}

std::vector<sock_filter> Body(const Section& section) {
  switch (section.audit_arch) {
    case AUDIT_ARCH_X86_64:
      return {kLoadNumber,
              JumpIf(BPF_JSET, kX32Bit, 1, 0),
              JumpIf(BPF_JGT, section.last, 1, 2),
              JumpIf(BPF_JGT, section.last_x32, 0, 1),
              kEnosys,
              kToFilter};
    case AUDIT_ARCH_S390:
    case AUDIT_ARCH_S390X:
      // Calls whose number does not fit the svc instruction come through setup(2), number 0; one
      // that the kernel does not know keeps that number.
      return {kLoadNumber, JumpIf(BPF_JEQ, 0, 1, 0), JumpIf(BPF_JGT, section.last, 0, 1), kEnosys,
              kToFilter};
    default:
      return {kLoadNumber, JumpIf(BPF_JGT, section.last, 0, 1), kEnosys, kToFilter};
  }
}

}  // namespace

std::vector<sock_filter> EnosysStub(std::span<const LastSyscall> last) {
  if (last.empty()) return {};
  std::vector<sock_filter> stub = {kLoadArchitecture};
  std::vector<size_t> ends;
  for (const auto& section : Sections(last)) {
    auto body = Body(section);
    stub.push_back(JumpIf(BPF_JEQ, section.audit_arch, 0, static_cast<uint8_t>(body.size())));
    std::ranges::copy(body, std::back_inserter(stub));
    ends.push_back(stub.size() - 1);
  }
  for (size_t end : ends) stub[end].k = static_cast<uint32_t>(stub.size() - end - 1);
  return stub;
}

}  // namespace kiste::sys
