// SPDX-License-Identifier: Apache-2.0
#include "base/strings.h"
#include "sys/cgroup/parse.h"
#include "sys/cgroup/v2/controllers.h"

namespace kiste::sys::cgroup::v2 {

namespace {

constexpr uint64_t kNsPerUs = 1000;

Status ReadPressure(const Directory& directory, std::string_view file,
                    std::optional<Pressure>& pressure) {
  std::string text = TRY(ReadIfThere(directory, file));
  if (!text.empty()) pressure = ParsePressure(text);
  return {};
}

Status ReadCpu(const Directory& directory, CpuStats& stats) {
  std::string text = TRY(ReadIfThere(directory, "cpu.stat"));
  auto values = ParseFlat(text);
  stats.usage = values["usage_usec"] * kNsPerUs;
  stats.user = values["user_usec"] * kNsPerUs;
  stats.kernel = values["system_usec"] * kNsPerUs;
  stats.periods = values["nr_periods"];
  stats.throttled_periods = values["nr_throttled"];
  stats.throttled_time = values["throttled_usec"] * kNsPerUs;
  stats.burst_periods = values["nr_bursts"];
  stats.burst_time = values["burst_usec"] * kNsPerUs;
  return ReadPressure(directory, "cpu.pressure", stats.pressure);
}

Status ReadUsage(const Directory& directory, const std::string& prefix, MemoryUsage& usage) {
  TRY(ReadNumberIfThere(directory, prefix + "current", usage.usage));
  TRY(ReadNumberIfThere(directory, prefix + "peak", usage.max));
  return ReadNumberIfThere(directory, prefix + "max", usage.limit);
}

Status ReadMemory(const Directory& directory, MemoryStats& stats) {
  std::string text = TRY(ReadIfThere(directory, "memory.stat"));
  stats.raw = ParseFlat(text);
  if (auto file = stats.raw.find("file"); file != stats.raw.end()) stats.cache = file->second;
  TRY(ReadUsage(directory, "memory.", stats.memory));
  TRY(ReadUsage(directory, "memory.swap.", stats.swap));
  // v1 counts both together; their peaks are not of the same moment.
  stats.swap.usage += stats.memory.usage;
  stats.swap.max = 0;
  bool limited = stats.swap.limit != kUnlimited && stats.memory.limit != kUnlimited;
  stats.swap.limit = limited ? stats.swap.limit + stats.memory.limit : kUnlimited;
  std::string events = TRY(ReadIfThere(directory, "memory.events"));
  stats.oom_kills = ParseFlat(events)["oom_kill"];
  return ReadPressure(directory, "memory.pressure", stats.pressure);
}

Status ReadIo(const Directory& directory, BlockIoStats& stats) {
  std::string text = TRY(ReadIfThere(directory, "io.stat"));
  ParseIoStat(text, stats);
  return ReadPressure(directory, "io.pressure", stats.pressure);
}

}  // namespace

Status ReadStats(const Directory& directory, Stats& stats) {
  TRY(ReadCpu(directory, stats.cpu));
  TRY(ReadMemory(directory, stats.memory));
  return ReadIo(directory, stats.block_io);
}

Result<bool> ReadHugetlb(const Directory& directory, const std::string& page_size,
                         HugetlbStats& stats) {
  std::string prefix = StrCat("hugetlb.", page_size, ".");
  std::string usage = TRY(ReadIfThere(directory, prefix + "rsvd.current"));
  if (usage.empty()) usage = TRY(ReadIfThere(directory, prefix + "current"));
  if (usage.empty()) return false;
  stats.usage = ParseUint(Trim(usage)).value_or(0);
  std::string events = TRY(ReadIfThere(directory, prefix + "events"));
  stats.failcnt = ParseFlat(events)["max"];
  return true;
}

}  // namespace kiste::sys::cgroup::v2
