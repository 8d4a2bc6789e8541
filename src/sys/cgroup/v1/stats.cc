// SPDX-License-Identifier: Apache-2.0
#include "base/strings.h"
#include "sys/cgroup/parse.h"
#include "sys/cgroup/v1/controllers.h"

namespace kiste::sys::cgroup::v1 {

namespace {

// "No limit" is the largest number of pages that fits, in bytes, whatever the page size.
constexpr uint64_t kNoLimit = INT64_MAX & ~uint64_t{0xffff};

Status ReadUsage(const Directory& directory, const std::string& prefix, MemoryUsage& usage) {
  TRY(ReadNumberIfThere(directory, prefix + "usage_in_bytes", usage.usage));
  TRY(ReadNumberIfThere(directory, prefix + "max_usage_in_bytes", usage.max));
  TRY(ReadNumberIfThere(directory, prefix + "failcnt", usage.failcnt));
  TRY(ReadNumberIfThere(directory, prefix + "limit_in_bytes", usage.limit));
  if (usage.limit >= kNoLimit) usage.limit = kUnlimited;
  return {};
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
  // `cpu user system`, then a line for each.
  std::string text = TRY(ReadIfThere(directory, "cpuacct.usage_all"));
  for (const auto& words : ParseLines(text)) {
    if (words.size() != 3) continue;
    auto user = ParseUint(words[1]), kernel = ParseUint(words[2]);
    if (!user || !kernel) continue;
    stats.percpu_user.push_back(*user);
    stats.percpu_kernel.push_back(*kernel);
    stats.percpu.push_back(*user + *kernel);
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
  stats.service_bytes = TRY(ReadEntries(directory, "io_service_bytes_recursive"));
  stats.serviced = TRY(ReadEntries(directory, "io_serviced_recursive"));
  return {};
}

Status ReadHugetlb(const Directory& directory, const std::string& page_size, HugetlbStats& stats) {
  std::string prefix = StrCat("hugetlb.", page_size, ".");
  TRY(ReadNumberIfThere(directory, prefix + "usage_in_bytes", stats.usage));
  TRY(ReadNumberIfThere(directory, prefix + "max_usage_in_bytes", stats.max));
  return ReadNumberIfThere(directory, prefix + "failcnt", stats.failcnt);
}

}  // namespace kiste::sys::cgroup::v1
