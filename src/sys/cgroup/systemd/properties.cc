// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup/systemd/properties.h"

#include <algorithm>

#include "base/strings.h"
#include "sys/cgroup/v2/controllers.h"

namespace kiste::sys::cgroup::systemd {

namespace {

// The first systemd that has it.
constexpr int kQuotaPeriod = 242, kCpusets = 244, kIdle = 252, kScopeOomPolicy = 253;
constexpr uint64_t kInfinity = UINT64_MAX;
constexpr uint64_t kUsualPeriod = 100'000;  // the kernel's, in µs
constexpr uint64_t kMaxCpus = 8192;         // the kernel's NR_CPUS can be no more

using Properties = std::vector<Property>;

void Add(Properties& properties, std::string name, uint64_t value) {
  properties.push_back({std::move(name), dbus::Uint64(value)});
}

uint64_t Bytes(int64_t limit) { return limit < 0 ? kInfinity : static_cast<uint64_t>(limit); }

// The set of a list like "0-3,7": a bit for each number, the lowest in the first byte.
Result<std::vector<uint8_t>> BitsOf(std::string_view field, std::string_view list) {
  auto invalid = [&] {
    return Invalid(StrCat(field, ": expected a list like 0-3,7, found ", Quote(list)));
  };
  std::vector<uint8_t> bits;
  for (auto range : Split(list, ',')) {
    range = Trim(range);
    if (range.empty()) continue;
    size_t dash = range.find('-');
    auto first = ParseUint(range.substr(0, dash));
    auto last = dash == std::string_view::npos ? first : ParseUint(range.substr(dash + 1));
    if (!first || !last || *first > *last || *last >= kMaxCpus) return invalid();
    if (bits.size() <= *last / 8) bits.resize(*last / 8 + 1);
    for (uint64_t i = *first; i <= *last; ++i) bits[i / 8] |= static_cast<uint8_t>(1U << (i % 8));
  }
  if (bits.empty()) return invalid();
  return bits;
}

Status AddCpuset(std::string_view field, const std::string& list, std::string name,
                 const SystemdHost& host, Properties& properties) {
  // On v1 systemd leaves cpusets alone.
  if (list.empty() || !host.v2 || host.version < kCpusets) return {};
  properties.push_back({std::move(name), dbus::Bytes(TRY(BitsOf(field, list)))});
  return {};
}

void AddQuota(int64_t quota, uint64_t period, const SystemdHost& host, Properties& properties) {
  if (period != 0 && host.version >= kQuotaPeriod) Add(properties, "CPUQuotaPeriodUSec", period);
  if (quota == 0 && period == 0) return;
  uint64_t per_second = kInfinity;
  if (quota > 0) {
    // systemd keeps whole percents: it may get a little more than what the file says, never less.
    constexpr uint64_t kPercent = 10'000;
    constexpr uint64_t kSecond = 1'000'000;
    auto wanted = static_cast<uint64_t>(quota);
    if (wanted < kInfinity / kSecond) {
      uint64_t exact = wanted * kSecond / (period == 0 ? kUsualPeriod : period);
      per_second = std::max((exact + kPercent - 1) / kPercent * kPercent, kPercent);
    }
  }
  Add(properties, "CPUQuotaPerSecUSec", per_second);
}

Status AddMemory(const Memory& memory, const SystemdHost& host, Properties& properties) {
  int64_t limit = memory.limit.value_or(0);
  if (limit != 0) Add(properties, host.v2 ? "MemoryMax" : "MemoryLimit", Bytes(limit));
  if (!host.v2) return {};
  if (memory.reservation.value_or(0) != 0) {
    Add(properties, "MemoryLow", Bytes(*memory.reservation));
  }
  std::string swap = TRY(v2::SwapMax(limit, memory.swap.value_or(0)));
  if (!swap.empty()) Add(properties, "MemorySwapMax", ParseUint(swap).value_or(kInfinity));
  return {};
}

Status AddCpu(const Cpu& cpu, const SystemdHost& host, Properties& properties) {
  bool idle = host.v2 && cpu.idle.value_or(0) == 1 && host.version >= kIdle;
  uint64_t shares = cpu.shares.value_or(0);
  if (idle) {
    Add(properties, "CPUWeight", 0);
  } else if (shares != 0 && host.v2) {
    Add(properties, "CPUWeight", v2::WeightFromShares(shares));
  } else if (shares != 0) {
    Add(properties, "CPUShares", std::clamp<uint64_t>(shares, 2, 262'144));
  }
  AddQuota(cpu.quota.value_or(0), cpu.period.value_or(0), host, properties);
  TRY(AddCpuset("cpu.cpus", cpu.cpus, "AllowedCPUs", host, properties));
  return AddCpuset("cpu.mems", cpu.mems, "AllowedMemoryNodes", host, properties);
}

Result<uint64_t> UnifiedNumber(const std::string& file, std::string_view value) {
  if (value == "max") return kInfinity;
  if (auto number = ParseUint(value)) return *number;
  return Invalid(StrCat("unified: ", file, ": expected a number or max, found ", Quote(value)));
}

struct UnifiedLimit {
  std::string_view file, property;
};
constexpr UnifiedLimit kUnifiedLimits[] = {
    {"memory.high", "MemoryHigh"},        {"memory.low", "MemoryLow"},
    {"memory.min", "MemoryMin"},          {"memory.max", "MemoryMax"},
    {"memory.swap.max", "MemorySwapMax"}, {"pids.max", "TasksMax"},
    {"cpu.weight", "CPUWeight"},
};

Status AddUnifiedQuota(const std::string& file, std::string_view value, const SystemdHost& host,
                       Properties& properties) {
  auto words = Split(value, ' ');
  auto quota = words[0] == "max" ? std::optional<int64_t>(-1) : ParseInt(words[0]);
  auto period = words.size() > 1 ? ParseUint(Trim(words[1])) : std::optional(kUsualPeriod);
  if (!quota || !period || words.size() > 2) {
    return Invalid(StrCat("unified: ", file, ": expected QUOTA PERIOD, found ", Quote(value)));
  }
  AddQuota(*quota, *period, host, properties);
  return {};
}

// `file` is one that systemd also writes, or is passed over.
Status AddUnified(const std::string& file, std::string_view value, const SystemdHost& host,
                  Properties& properties) {
  if (file == "cpu.max") return AddUnifiedQuota(file, value, host, properties);
  if (file == "cpu.idle" && value == "1" && host.version >= kIdle) Add(properties, "CPUWeight", 0);
  std::string list(value);
  if (file == "cpuset.cpus")
    return AddCpuset("unified: " + file, list, "AllowedCPUs", host, properties);
  if (file == "cpuset.mems")
    return AddCpuset("unified: " + file, list, "AllowedMemoryNodes", host, properties);
  for (const auto& [name, property] : kUnifiedLimits) {
    if (file != name) continue;
    uint64_t number = TRY(UnifiedNumber(file, value));
    if (file == "pids.max") number = std::max<uint64_t>(number, 1);
    Add(properties, std::string(property), number);
  }
  return {};
}

}  // namespace

bool NeedsVersion(const Resources& resources) {
  if (!resources.unified.empty()) return true;
  if (!resources.cpu) return false;
  const auto& cpu = *resources.cpu;
  return cpu.idle || cpu.period.value_or(0) != 0 || !cpu.cpus.empty() || !cpu.mems.empty();
}

Result<Properties> ResourceProperties(const Resources& resources, const SystemdHost& host) {
  Properties properties;
  if (resources.memory) TRY(AddMemory(*resources.memory, host, properties));
  if (resources.cpu) TRY(AddCpu(*resources.cpu, host, properties));
  if (resources.pids_limit) {
    // systemd takes no 0; Cgroup::Apply has the same floor.
    int64_t limit = *resources.pids_limit;
    Add(properties, "TasksMax", limit < 0 ? kInfinity : std::max<uint64_t>(Bytes(limit), 1));
  }
  if (resources.block_io && resources.block_io->weight.value_or(0) != 0) {
    uint16_t weight = *resources.block_io->weight;
    if (host.v2) {
      Add(properties, "IOWeight", v2::IoWeightFromBlkio(weight));
    } else {
      Add(properties, "BlockIOWeight", weight);
    }
  }
  if (!host.v2) return properties;
  for (const auto& [file, value] : resources.unified) {
    TRY(AddUnified(file, Trim(value), host, properties));
  }
  return properties;
}

Properties ScopeProperties(const Resources& resources, const SystemdHost& host) {
  Properties properties;
  auto group = resources.unified.find("memory.oom.group");
  if (host.v2 && host.version >= kScopeOomPolicy && group != resources.unified.end()) {
    properties.push_back(
        {"OOMPolicy", dbus::String(Trim(group->second) == "1" ? "kill" : "continue")});
  }
  return properties;
}

}  // namespace kiste::sys::cgroup::systemd
