// SPDX-License-Identifier: Apache-2.0
#include "sys/seccomp/reach.h"

#include <linux/bpf_common.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <set>
#include <utility>

namespace kiste::sys {

namespace {

struct Machine {
  std::string_view name;
  uint32_t token;  // libseccomp's
  uint32_t audit;  // what the kernel puts into seccomp_data.arch
  uint32_t base;   // of its numbers
  bool native;
};

constexpr uint32_t kX32Bit = 0x4000'0000;

#if defined(__x86_64__)
constexpr Machine kMachines[] = {
    {"x86_64", SCMP_ARCH_X86_64, SCMP_ARCH_X86_64, 0, true},
    {"x86", SCMP_ARCH_X86, SCMP_ARCH_X86, 0, false},
    {"x32", SCMP_ARCH_X32, SCMP_ARCH_X86_64, kX32Bit, false},
};
#elif defined(__aarch64__)
constexpr Machine kMachines[] = {
    {"aarch64", SCMP_ARCH_AARCH64, SCMP_ARCH_AARCH64, 0, true},
    {"arm", SCMP_ARCH_ARM, SCMP_ARCH_ARM, 0, false},
};
#endif

constexpr uint32_t kMostNumbers = 1024;  // above the last one of each table

// A value that is known, or may be anything.
using Known = std::optional<uint32_t>;

// One way through the program: where it is and what it holds.
struct Path {
  size_t at = 0;
  Known a, x;
  std::array<Known, BPF_MEMWORDS> memory{};
  auto operator<=>(const Path&) const = default;
};

// Walks all paths of one call. Jumps of classic BPF go forward only, so every walk ends; paths that
// meet again with the same values are followed once.
class Walk {
 public:
  Walk(std::span<const sock_filter> filter, uint32_t arch, uint32_t number)
      : filter_(filter), arch_(arch), number_(number) {}

  Reach Run() {
    pending_.push_back({});
    while (!pending_.empty() && !(yes_ && no_) && !partly_) {
      Path path = std::move(pending_.back());
      pending_.pop_back();
      if (!seen_.insert(path).second) continue;
      Follow(std::move(path));
    }
    if (partly_ || (yes_ && no_)) return Reach::kPartly;
    return yes_ ? Reach::kYes : Reach::kNo;
  }

 private:
  // To the next branch on something unknown, or to the end.
  void Follow(Path path) {
    while (path.at < filter_.size()) {
      const sock_filter& step = filter_[path.at++];
      if (BPF_CLASS(step.code) == BPF_RET) return End(step, path.a);
      if (BPF_CLASS(step.code) != BPF_JMP) {
        Compute(step, path);
        continue;
      }
      if (BPF_OP(step.code) == BPF_JA) {
        path.at += step.k;
        continue;
      }
      Known operand = BPF_SRC(step.code) == BPF_X ? path.x : Known(step.k);
      if (!path.a || !operand) {
        Path other = path;
        other.at += step.jf;
        pending_.push_back(std::move(other));
        path.at += step.jt;
        pending_.push_back(std::move(path));
        return;
      }
      path.at += Holds(step, *path.a, *operand) ? step.jt : step.jf;
    }
    no_ = true;  // no program that the kernel takes ends so
  }

  static bool Holds(const sock_filter& step, uint32_t a, uint32_t operand) {
    switch (BPF_OP(step.code)) {
      case BPF_JEQ:
        return a == operand;
      case BPF_JGT:
        return a > operand;
      case BPF_JGE:
        return a >= operand;
      default:
        return (a & operand) != 0;  // BPF_JSET
    }
  }

  void Compute(const sock_filter& step, Path& path) const {
    switch (BPF_CLASS(step.code)) {
      case BPF_LD:
        path.a = Load(step, path);
        return;
      case BPF_LDX:
        path.x = BPF_MODE(step.code) == BPF_MEM   ? path.memory[step.k % BPF_MEMWORDS]
                 : BPF_MODE(step.code) == BPF_IMM ? Known(step.k)
                                                  : std::nullopt;
        return;
      case BPF_ST:
        path.memory[step.k % BPF_MEMWORDS] = path.a;
        return;
      case BPF_STX:
        path.memory[step.k % BPF_MEMWORDS] = path.x;
        return;
      case BPF_MISC:
        if (BPF_MISCOP(step.code) == BPF_TAX) path.x = path.a;
        if (BPF_MISCOP(step.code) == BPF_TXA) path.a = path.x;
        return;
      default:  // BPF_ALU; libseccomp only masks, and only arguments
        bool mask = BPF_OP(step.code) == BPF_AND && BPF_SRC(step.code) == BPF_K;
        path.a = mask && path.a ? Known(*path.a & step.k) : std::nullopt;
    }
  }

  Known Load(const sock_filter& step, const Path& path) const {
    if (BPF_MODE(step.code) == BPF_IMM) return step.k;
    if (BPF_MODE(step.code) == BPF_MEM) return path.memory[step.k % BPF_MEMWORDS];
    if (step.k == offsetof(seccomp_data, arch)) return arch_;
    if (step.k == offsetof(seccomp_data, nr)) return number_;
    return std::nullopt;
  }

  void End(const sock_filter& step, const Known& a) {
    Known action = BPF_RVAL(step.code) == BPF_A ? a : Known(step.k);
    uint32_t verdict = action.value_or(SECCOMP_RET_TRACE) & SECCOMP_RET_ACTION_FULL;
    if (verdict == SECCOMP_RET_ALLOW || verdict == SECCOMP_RET_LOG) {
      yes_ = true;
    } else if (verdict == SECCOMP_RET_TRACE || verdict == SECCOMP_RET_USER_NOTIF) {
      partly_ = true;
    } else {
      no_ = true;
    }
  }

  std::span<const sock_filter> filter_;
  uint32_t arch_, number_;
  std::vector<Path> pending_;
  std::set<Path> seen_;
  bool yes_ = false, no_ = false, partly_ = false;
};

// "" for a number without a name.
std::string NameOf(uint32_t token, uint32_t number) {
  char* name = seccomp_syscall_resolve_num_arch(token, static_cast<int>(number));
  std::string text = name == nullptr ? "" : name;
  std::free(name);
  return text;
}

}  // namespace

std::vector<ArchitectureReach> FilterReach(std::span<const sock_filter> filter) {
  std::vector<ArchitectureReach> result;
  for (const auto& machine : kMachines) {
    auto& architecture = result.emplace_back();
    architecture.architecture = machine.name;
    architecture.native = machine.native;
    for (uint32_t i = 0; i < kMostNumbers; ++i) {
      uint32_t number = machine.base + i;
      std::string name = NameOf(machine.token, number);
      if (name.empty()) continue;
      Reach reach = filter.empty() ? Reach::kYes : Walk(filter, machine.audit, number).Run();
      architecture.calls.push_back({std::move(name), reach});
    }
  }
  return result;
}

}  // namespace kiste::sys
