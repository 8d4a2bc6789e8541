// SPDX-License-Identifier: Apache-2.0
#include "base/strings.h"
#include "sys/cgroup/v1/controllers.h"

namespace kiste::sys::cgroup::v1 {

namespace {

// The kernel moves what is outside of this range into it without a word.
constexpr uint64_t kMinShares = 2, kMaxShares = 1 << 18;

struct Value {
  std::string_view field, file;
  std::string text;  // "" is not given
};

Status Set(const Directory& directory, const Value& value) {
  return directory.Set(value.field, value.file, value.text);
}

// Sets `first` and then `last`. The kernel checks the pair after each write (EINVAL), so values
// that fit together may have to go in the other order: what was refused is tried again after
// `last`.
Status SetDependent(const Directory& directory, const std::vector<Value>& first,
                    const Value& last) {
  std::vector<const Value*> again;
  for (const auto& value : first) {
    if (value.text.empty()) continue;
    auto set = Set(directory, value);
    if (Failed(set, EINVAL) && !last.text.empty()) {
      again.push_back(&value);
    } else if (!set) {
      return set;
    }
  }
  if (!last.text.empty()) TRY(Set(directory, last));
  for (const Value* value : again) TRY(Set(directory, *value));
  return {};
}

template <typename T>
std::string TextUnlessZero(const std::optional<T>& value) {
  return value.value_or(0) == 0 ? std::string() : StrCat(*value);
}

}  // namespace

Status SetCpu(const Directory& directory, const Cpu& cpu) {
  // An idle group has no shares, and refuses them: leave idleness before, enter it after.
  if (cpu.idle == 0 && !directory.fresh) TRY(directory.Set("cpu.idle", "cpu.idle", "0"));
  if (cpu.shares.value_or(0) != 0) {
    if (*cpu.shares < kMinShares || *cpu.shares > kMaxShares) {
      return Invalid(
          StrCat("cpu.shares ", *cpu.shares, " is not in ", kMinShares, " to ", kMaxShares));
    }
    if (cpu.idle.value_or(0) == 0) {
      TRY(directory.Set("cpu.shares", "cpu.shares", StrCat(*cpu.shares)));
    }
  }
  // A burst of 0 is what there is where the kernel (before 5.14) knows none.
  bool burst = cpu.burst && (*cpu.burst != 0 || !directory.fresh);
  TRY(SetDependent(directory,
                   {{"cpu.period", "cpu.cfs_period_us", TextUnlessZero(cpu.period)},
                    {"cpu.burst", "cpu.cfs_burst_us", burst ? StrCat(*cpu.burst) : ""}},
                   {"cpu.quota", "cpu.cfs_quota_us", TextUnlessZero(cpu.quota)}));
  TRY(SetDependent(
      directory, {{"cpu.realtimePeriod", "cpu.rt_period_us", TextUnlessZero(cpu.realtime_period)}},
      {"cpu.realtimeRuntime", "cpu.rt_runtime_us", TextUnlessZero(cpu.realtime_runtime)}));
  if (cpu.idle.value_or(0) != 0) TRY(directory.Set("cpu.idle", "cpu.idle", StrCat(*cpu.idle)));
  return {};
}

}  // namespace kiste::sys::cgroup::v1
