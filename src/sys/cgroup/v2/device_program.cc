// SPDX-License-Identifier: Apache-2.0
//
// The program keeps the accesses that are asked for and not granted yet in a register and goes
// through the rules from the last to the first: an allowing rule that names the device grants its
// accesses, a denying one ends it with 0 if it names one that is not granted. When none is left, 1.
#include "sys/cgroup/v2/device_program.h"

#include <cstddef>

#include "sys/cgroup/device_rules.h"

namespace kiste::sys::cgroup::v2 {

namespace {

static_assert(kDeviceMknod == BPF_DEVCG_ACC_MKNOD && kDeviceRead == BPF_DEVCG_ACC_READ &&
              kDeviceWrite == BPF_DEVCG_ACC_WRITE);

enum Register : uint8_t { kResult, kContext, kType, kPending, kMajor, kMinor, kScratch };

class Assembler {
 public:
  void Load(Register to, size_t offset) {
    Emit(BPF_LDX | BPF_MEM | BPF_W, to, kContext, static_cast<int16_t>(offset), 0);
  }
  void Move(Register to, Register from) { Emit(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0); }
  void And(Register to, int32_t bits) { Emit(BPF_ALU64 | BPF_AND | BPF_K, to, 0, 0, bits); }
  void ShiftRight(Register to, int32_t bits) { Emit(BPF_ALU64 | BPF_RSH | BPF_K, to, 0, 0, bits); }
  // Jump to the end of the rule.
  void SkipUnlessEqual(Register a, int64_t b) { Skip(BPF_JNE, a, b); }
  void SkipIfZero(Register a) { Skip(BPF_JEQ, a, 0); }
  void SkipUnlessZero(Register a) { Skip(BPF_JNE, a, 0); }
  void EndRule() {
    for (size_t at : skips_) program_[at].off = static_cast<int16_t>(program_.size() - at - 1);
    skips_.clear();
  }
  void Return(bool allow) {
    Emit(BPF_ALU64 | BPF_MOV | BPF_K, kResult, 0, 0, allow ? 1 : 0);
    Emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
  }
  bool HasSkips() const { return !skips_.empty(); }
  std::vector<bpf_insn> Take() && { return std::move(program_); }

 private:
  void Emit(int code, uint8_t to, uint8_t from, int16_t offset, int32_t immediate) {
    bpf_insn instruction{};
    instruction.code = static_cast<uint8_t>(code);
    instruction.dst_reg = to & 0xf;
    instruction.src_reg = from & 0xf;
    instruction.off = offset;
    instruction.imm = immediate;
    program_.push_back(instruction);
  }
  void Skip(int condition, Register a, int64_t b) {
    skips_.push_back(program_.size());
    Emit(BPF_JMP | BPF_K | condition, a, 0, 0, static_cast<int32_t>(b));
  }

  std::vector<bpf_insn> program_;
  std::vector<size_t> skips_;
};

void Prologue(Assembler& assembler) {
  // access_type is the access in the upper and the type in the lower half.
  assembler.Load(kType, offsetof(bpf_cgroup_dev_ctx, access_type));
  assembler.Move(kPending, kType);
  assembler.And(kType, 0xffff);
  assembler.ShiftRight(kPending, 16);
  assembler.Load(kMajor, offsetof(bpf_cgroup_dev_ctx, major));
  assembler.Load(kMinor, offsetof(bpf_cgroup_dev_ctx, minor));
}

// True when the rule decides everything that reaches it: what would follow is unreachable, which
// the kernel's verifier refuses.
bool AppendRule(Assembler& assembler, const DeviceRule& rule, uint8_t access) {
  if (rule.type != 'a') {
    assembler.SkipUnlessEqual(kType, rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
  }
  if (rule.major >= 0) assembler.SkipUnlessEqual(kMajor, rule.major);
  if (rule.minor >= 0) assembler.SkipUnlessEqual(kMinor, rule.minor);
  if (access != kDeviceAll && rule.allow) {
    assembler.And(kPending, kDeviceAll & ~access);
    assembler.SkipUnlessZero(kPending);
  } else if (access != kDeviceAll) {
    assembler.Move(kScratch, kPending);
    assembler.And(kScratch, access);
    assembler.SkipIfZero(kScratch);
  }
  bool decides_all = !assembler.HasSkips();
  assembler.Return(rule.allow);
  assembler.EndRule();
  return decides_all;
}

}  // namespace

Result<std::vector<bpf_insn>> CompileDeviceRules(const std::vector<DeviceRule>& rules) {
  Assembler assembler;
  Prologue(assembler);
  bool decided = false;
  for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
    uint8_t access = TRY(CheckDeviceRule(*rule));  // also those that come to nothing
    if (access != 0 && !decided) decided = AppendRule(assembler, *rule, access);
  }
  if (!decided) assembler.Return(false);
  return std::move(assembler).Take();
}

}  // namespace kiste::sys::cgroup::v2
