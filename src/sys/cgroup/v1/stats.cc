// SPDX-License-Identifier: Apache-2.0
#include "base/strings.h"
#include "sys/cgroup/parse.h"
#include "sys/cgroup/v1/controllers.h"

namespace kiste::sys::cgroup::v1 {

namespace {

Status ReadUsage(const Directory& directory, const std::string& prefix, MemoryUsage& usage) {
  TRY(ReadNumberIfThere(directory, prefix + "usage_in_bytes", usage.usage));
  TRY(ReadNumberIfThere(directory, prefix + "max_usage_in_bytes", usage.max));
  TRY(ReadNumberIfThere(directory, prefix + "failcnt", usage.failcnt));
  // No such file without accounting for swap, and none for kernel memory on newer kernels.
  usage.limit = 0;
  return ReadNumberIfThere(directory, prefix + "limit_in_bytes", usage.limit);
}

// BFQ counts if a disk uses it, CFQ did until Linux 5.0, the throttling layer always does.
Result<std::vector<BlockIoEntry>> ReadEntries(const Directory& directory, std::string_view name) {
  for (std::string_view owner : {"bfq.", "", "throttle."}) {
    std::string text = TRY(ReadIfThere(directory, StrCat("blkio.", owner, name)));
    auto entries = ParseBlockIo(text);
    if (!entries.empty()) return entries;
  }
  return std::vector<BlockIoEntry>();
}

// What `prefix` counts; false when there is no such file.
Result<bool> ReadHugetlbCounts(const Directory& directory, const std::string& prefix,
                               HugetlbStats& stats) {
  std::string usage = TRY(ReadIfThere(directory, prefix + "usage_in_bytes"));
  if (usage.empty()) return false;
  stats.usage = ParseUint(Trim(usage)).value_or(0);
  TRY(ReadNumberIfThere(directory, prefix + "max_usage_in_bytes", stats.max));
  TRY(ReadNumberIfThere(directory, prefix + "failcnt", stats.failcnt));
  return true;
}

}  // namespace

Status ReadCpu(const Directory& directory, CpuStats& stats) {
  std::string text = TRY(ReadIfThere(directory, "cpu.stat"));
  auto values = ParseFlat(text);
  stats.periods = values["nr_periods"];
  stats.throttled_periods = values["nr_throttled"];
  stats.throttled_time = values["throttled_time"];
  stats.burst_periods = values["nr_bursts"];
  stats.burst_time = values["burst_time"];
  return {};
}

Status ReadCpuacct(const Directory& directory, CpuStats& stats) {
  TRY(ReadNumberIfThere(directory, "cpuacct.usage", stats.usage));
  TRY(ReadNumberIfThere(directory, "cpuacct.usage_user", stats.user));
  TRY(ReadNumberIfThere(directory, "cpuacct.usage_sys", stats.kernel));
  std::string totals = TRY(ReadIfThere(directory, "cpuacct.usage_percpu"));
  for (const auto& words : ParseLines(totals)) {
    for (auto word : words) stats.percpu.push_back(ParseUint(word).value_or(0));
  }
  // `cpu user system`, then a line for each. Counted by ticks: their sum is not the above.
  std::string text = TRY(ReadIfThere(directory, "cpuacct.usage_all"));
  for (const auto& words : ParseLines(text)) {
    if (words.size() != 3) continue;
    auto user = ParseUint(words[1]), kernel = ParseUint(words[2]);
    if (!user || !kernel) continue;
    stats.percpu_user.push_back(*user);
    stats.percpu_kernel.push_back(*kernel);
  }
  return {};
}

Status ReadMemory(const Directory& directory, MemoryStats& stats) {
  std::string text = TRY(ReadIfThere(directory, "memory.stat"));
  stats.raw = ParseFlat(text);
  if (auto cache = stats.raw.find("cache"); cache != stats.raw.end()) stats.cache = cache->second;
  TRY(ReadUsage(directory, "memory.", stats.memory));
  TRY(ReadUsage(directory, "memory.memsw.", stats.swap));
  TRY(ReadUsage(directory, "memory.kmem.", stats.kernel));
  TRY(ReadUsage(directory, "memory.kmem.tcp.", stats.kernel_tcp));
  std::string oom = TRY(ReadIfThere(directory, "memory.oom_control"));
  stats.oom_kills = ParseFlat(oom)["oom_kill"];
  return {};
}

Status ReadBlockIo(const Directory& directory, BlockIoStats& stats) {
  static constexpr struct {
    std::string_view file;
    std::vector<BlockIoEntry> BlockIoStats::* list;
  } kFiles[] = {
      {"io_service_bytes_recursive", &BlockIoStats::service_bytes},
      {"io_serviced_recursive", &BlockIoStats::serviced},
      {"io_queued_recursive", &BlockIoStats::queued},
      {"io_service_time_recursive", &BlockIoStats::service_time},
      {"io_wait_time_recursive", &BlockIoStats::wait_time},
      {"io_merged_recursive", &BlockIoStats::merged},
      {"time_recursive", &BlockIoStats::time},
      {"sectors_recursive", &BlockIoStats::sectors},
  };
  for (const auto& [file, list] : kFiles) stats.*list = TRY(ReadEntries(directory, file));
  return {};
}

Status ReadCpuset(const Directory& directory, CpusetStats& stats) {
  TRY(ReadNumberIfThere(directory, "cpuset.cpu_exclusive", stats.cpu_exclusive));
  TRY(ReadNumberIfThere(directory, "cpuset.mem_exclusive", stats.mem_exclusive));
  TRY(ReadNumberIfThere(directory, "cpuset.mem_hardwall", stats.mem_hardwall));
  TRY(ReadNumberIfThere(directory, "cpuset.memory_migrate", stats.memory_migrate));
  TRY(ReadNumberIfThere(directory, "cpuset.memory_spread_page", stats.memory_spread_page));
  TRY(ReadNumberIfThere(directory, "cpuset.memory_spread_slab", stats.memory_spread_slab));
  TRY(ReadNumberIfThere(directory, "cpuset.memory_pressure", stats.memory_pressure));
  TRY(ReadNumberIfThere(directory, "cpuset.sched_load_balance", stats.sched_load_balance));
  std::string level = TRY(ReadIfThere(directory, "cpuset.sched_relax_domain_level"));
  stats.sched_relax_domain_level = ParseInt(Trim(level)).value_or(0);
  return {};
}

Result<bool> ReadHugetlb(const Directory& directory, const std::string& page_size,
                         HugetlbStats& stats) {
  // Reservations (since Linux 5.7) are what is limited first.
  if (TRY(ReadHugetlbCounts(directory, StrCat("hugetlb.", page_size, ".rsvd."), stats)))
    return true;
  return ReadHugetlbCounts(directory, StrCat("hugetlb.", page_size, "."), stats);
}

}  // namespace kiste::sys::cgroup::v1
