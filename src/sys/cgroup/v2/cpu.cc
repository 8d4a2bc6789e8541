// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "base/strings.h"
#include "sys/cgroup/v2/controllers.h"

namespace kiste::sys::cgroup::v2 {

namespace {

constexpr uint64_t kMinShares = 2, kMaxShares = 1 << 18;
constexpr uint64_t kMinWeight = 1, kMaxWeight = 10000;

// The line for cpu.max, "<quota> <period>". A quota alone leaves the kernel's period; a period
// alone needs the quota that is there.
Result<std::string> CpuMax(const Directory& directory, const Cpu& cpu) {
  int64_t quota = cpu.quota.value_or(0);
  uint64_t period = cpu.period.value_or(0);
  std::string line = quota < 0 ? "max" : StrCat(quota);
  if (quota == 0) {
    line = "max";
    if (!directory.fresh) {
      std::string present = TRY(directory.Read("cpu.max"));
      line = Split(Trim(present), ' ')[0];
    }
  }
  if (period != 0) line += StrCat(" ", period);
  return line;
}

Status SetMax(const Directory& directory, const Cpu& cpu) {
  bool max = cpu.quota.value_or(0) != 0 || cpu.period.value_or(0) != 0;
  // A burst of 0 is what there is where the kernel (before 5.14) knows none.
  bool burst = cpu.burst && (*cpu.burst != 0 || !directory.fresh);
  auto set_burst = [&] { return directory.Set("cpu.burst", "cpu.max.burst", StrCat(*cpu.burst)); };
  // The burst may not exceed the quota: which goes first depends on whether they rise or fall.
  bool again = false;
  if (burst) {
    auto set = set_burst();
    again = max && Failed(set, EINVAL);
    if (!set && !again) return set;
  }
  if (max) {
    std::string line = TRY(CpuMax(directory, cpu));
    TRY(directory.Set(cpu.quota.value_or(0) != 0 ? "cpu.quota" : "cpu.period", "cpu.max", line));
  }
  return again ? set_burst() : Status();
}

}  // namespace

uint64_t WeightFromShares(uint64_t shares) {
  if (shares <= kMinShares) return kMinWeight;
  if (shares >= kMaxShares) return kMaxWeight;
  // Through (1, 0), (10, 2) and (18, 4): 2 shares are weight 1, 1024 are 100, 262144 are 10000.
  double x = std::log2(static_cast<double>(shares));
  double exponent = (x * x + 125 * x) / 612 - 7.0 / 34;
  return static_cast<uint64_t>(std::ceil(std::pow(10, exponent)));
}

Status SetCpu(const Directory& directory, const Cpu& cpu) {
  // An idle group has no weight, and refuses one.
  if (cpu.idle && (*cpu.idle != 0 || !directory.fresh)) {
    TRY(directory.Set("cpu.idle", "cpu.idle", StrCat(*cpu.idle)));
  }
  if (cpu.shares.value_or(0) != 0 && cpu.idle.value_or(0) == 0) {
    TRY(directory.Set("cpu.shares", "cpu.weight", StrCat(WeightFromShares(*cpu.shares))));
  }
  return SetMax(directory, cpu);
}

Status SetCpuset(const Directory& directory, const Cpu& cpu) {
  if (!cpu.cpus.empty()) TRY(directory.Set("cpu.cpus", "cpuset.cpus", cpu.cpus));
  if (!cpu.mems.empty()) TRY(directory.Set("cpu.mems", "cpuset.mems", cpu.mems));
  return {};
}

}  // namespace kiste::sys::cgroup::v2
