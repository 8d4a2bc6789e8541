// SPDX-License-Identifier: Apache-2.0
//
// Cgroup::ReadStats: which controller's counts come from which hierarchy.
#include "sys/cgroup/stats.h"

#include <dirent.h>

#include <memory>

#include "base/strings.h"
#include "sys/cgroup/cgroup.h"
#include "sys/cgroup/parse.h"
#include "sys/cgroup/v1/controllers.h"
#include "sys/cgroup/v2/controllers.h"

namespace kiste::sys::cgroup {

namespace {

// The sizes of huge pages as file names have them: /sys/kernel/mm/hugepages/hugepages-2048kB is
// "2MB".
std::vector<std::string> HugePageSizes() {
  std::vector<std::string> sizes;
  std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir("/sys/kernel/mm/hugepages"), closedir);
  if (!stream) return sizes;
  constexpr std::string_view kPrefix = "hugepages-", kSuffix = "kB";
  while (const dirent* entry = readdir(stream.get())) {
    std::string_view name = entry->d_name;
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    name.remove_prefix(kPrefix.size());
    name.remove_suffix(kSuffix.size());
    auto kilobytes = ParseUint(name);
    if (!kilobytes) continue;
    bool gigabytes = *kilobytes >= 1 << 20, megabytes = *kilobytes >= 1 << 10;
    sizes.push_back(gigabytes   ? StrCat(*kilobytes >> 20, "GB")
                    : megabytes ? StrCat(*kilobytes >> 10, "MB")
                                : StrCat(*kilobytes, "KB"));
  }
  return sizes;
}

Status ReadPids(const Directory& directory, PidsStats& stats) {
  TRY(ReadNumberIfThere(directory, "pids.current", stats.current));
  return ReadNumberIfThere(directory, "pids.max", stats.limit);
}

Status ReadCpuset(const Directory& directory, CpusetStats& stats) {
  std::string cpus = TRY(ReadIfThere(directory, "cpuset.cpus"));
  std::string mems = TRY(ReadIfThere(directory, "cpuset.mems"));
  stats.cpus = Trim(cpus);
  stats.mems = Trim(mems);
  return {};
}

}  // namespace

Result<Stats> Cgroup::ReadStats() const {
  Stats stats;
  const Directory* v2 = V2();
  // In hybrid v2 has the pressure; what v1 counts replaces the rest.
  if (v2 != nullptr) TRY(v2::ReadStats(*v2, stats));
  if (const auto* directory = Find("cpuacct")) TRY(v1::ReadCpuacct(*directory, stats.cpu));
  if (const auto* directory = Find("cpu")) TRY(v1::ReadCpu(*directory, stats.cpu));
  if (const auto* directory = Find("memory")) TRY(v1::ReadMemory(*directory, stats.memory));
  if (const auto* directory = Find("blkio")) TRY(v1::ReadBlockIo(*directory, stats.block_io));

  const Directory* pids = Find("pids") != nullptr ? Find("pids") : v2;
  if (pids != nullptr) TRY(ReadPids(*pids, stats.pids));
  const Directory* cpuset = Find("cpuset") != nullptr ? Find("cpuset") : v2;
  if (cpuset != nullptr && !cpuset->v2) TRY(v1::ReadCpuset(*cpuset, stats.cpuset));
  if (cpuset != nullptr) TRY(ReadCpuset(*cpuset, stats.cpuset));

  const Directory* hugetlb = Find("hugetlb");
  if (hugetlb == nullptr && v2 == nullptr) return stats;
  for (const auto& size : HugePageSizes()) {
    HugetlbStats entry;
    bool counted = TRY(hugetlb != nullptr ? v1::ReadHugetlb(*hugetlb, size, entry)
                                          : v2::ReadHugetlb(*v2, size, entry));
    if (counted) stats.hugetlb[size] = entry;
  }
  return stats;
}

}  // namespace kiste::sys::cgroup
