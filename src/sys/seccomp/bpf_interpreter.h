// SPDX-License-Identifier: Apache-2.0
//
// For tests only: runs a seccomp filter as the kernel would (bpf_prog_run_pin_on_cpu over struct
// seccomp_data), for architectures and system calls that this machine does not have, and counts
// the instructions it takes.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <cstring>
#include <span>

namespace kiste::sys {

struct Verdict {
  uint32_t action = 0;  // SECCOMP_RET_* with data
  int steps = 0;        // instructions run; -1 when the program is not one that the kernel takes
};

inline Verdict Interpret(std::span<const sock_filter> program, const seccomp_data& data) {
  constexpr Verdict kBroken{0, -1};
  uint32_t a = 0;
  uint32_t x = 0;
  uint32_t memory[BPF_MEMWORDS] = {};
  int steps = 0;
  for (size_t pc = 0; pc < program.size(); ++pc) {
    const sock_filter& at = program[pc];
    ++steps;
    auto jump = [&](bool condition) { pc += condition ? at.jt : at.jf; };
    switch (at.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        if (at.k % 4 != 0 || at.k >= sizeof data) return kBroken;
        std::memcpy(&a, reinterpret_cast<const char*>(&data) + at.k, sizeof a);
        break;
      case BPF_LD | BPF_IMM:
        a = at.k;
        break;
      case BPF_LD | BPF_MEM:
        a = memory[at.k % BPF_MEMWORDS];
        break;
      case BPF_ST:
        memory[at.k % BPF_MEMWORDS] = a;
        break;
      case BPF_MISC | BPF_TAX:
        x = a;
        break;
      case BPF_MISC | BPF_TXA:
        a = x;
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= at.k;
        break;
      case BPF_JMP | BPF_JA:
        pc += at.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        jump(a == at.k);
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        jump(a > at.k);
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        jump(a >= at.k);
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        jump((a & at.k) != 0);
        break;
      case BPF_RET | BPF_K:
        return {at.k, steps};
      default:
        return kBroken;
    }
  }
  return kBroken;
}

}  // namespace kiste::sys
