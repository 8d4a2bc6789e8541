// SPDX-License-Identifier: Apache-2.0
#include "bench/run/noise.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/strings.h"
#include "sys/cgroup/layout.h"
#include "sys/file.h"

namespace kiste::bench {

namespace {

// Processor time of the cgroup and all below, in seconds; nothing where nobody counts it.
std::optional<double> CgroupTime(const std::string& cgroup) {
  auto layout = sys::cgroup::Detect();
  if (!layout) return std::nullopt;
  if (const auto* v1 = layout->FindV1("cpuacct")) {
    auto text = sys::ReadFileAt(AT_FDCWD, StrCat(v1->mount_point, cgroup, "/cpuacct.usage"));
    auto used = text ? ParseUint(Trim(*text)) : std::nullopt;
    return used ? std::optional(static_cast<double>(*used) / 1e9) : std::nullopt;
  }
  const auto* v2 = layout->FindV2();
  if (v2 == nullptr) return std::nullopt;
  auto text = sys::ReadFileAt(AT_FDCWD, StrCat(v2->mount_point, cgroup, "/cpu.stat"));
  constexpr std::string_view kUsage = "usage_usec ";
  if (!text || !text->starts_with(kUsage)) return std::nullopt;
  auto line = std::string_view(*text).substr(kUsage.size());
  auto used = ParseUint(line.substr(0, line.find('\n')));
  return used ? std::optional(static_cast<double>(*used) / 1e6) : std::nullopt;
}

Result<ProcessorTime> ReadProcessorTime() {
  auto text = TRY(sys::ReadFileAt(AT_FDCWD, "/proc/stat"));
  return ParseProcessorTime(text);
}

}  // namespace

Result<ProcessorTime> ParseProcessorTime(std::string_view proc_stat) {
  auto line = proc_stat.substr(0, proc_stat.find('\n'));
  if (!line.starts_with("cpu ")) return Invalid("/proc/stat: expected a first line cpu");
  int64_t fields[8] = {};  // user nice system idle iowait irq softirq steal
  size_t count = 0;
  for (auto word : Split(line.substr(4), ' ')) {
    if (word.empty() || count == 8) continue;
    auto number = ParseInt(word);
    if (!number) return Invalid(StrCat("/proc/stat: expected a number, found ", Quote(word)));
    fields[count++] = *number;
  }
  if (count < 8) return Invalid("/proc/stat: expected eight numbers in the line cpu");
  ProcessorTime time;
  time.stolen = fields[7];
  time.busy = fields[0] + fields[1] + fields[2] + fields[5] + fields[6];
  time.all = time.busy + fields[3] + fields[4] + fields[7];
  return time;
}

Result<NoiseWatch> NoiseWatch::Begin(const std::string& cgroup) {
  auto time = TRY(ReadProcessorTime());
  NoiseWatch watch;
  watch.cgroup_ = cgroup;
  watch.busy_ = time.busy;
  watch.stolen_ = time.stolen;
  watch.all_ = time.all;
  watch.own_ = CgroupTime(cgroup);
  return watch;
}

Result<Noise> NoiseWatch::End() const {
  auto time = TRY(ReadProcessorTime());
  auto all = static_cast<double>(time.all - all_);
  Noise noise;
  // A trial of a few clock ticks says nothing.
  if (all < 20) return noise;
  noise.stolen = static_cast<double>(time.stolen - stolen_) / all;
  auto own = CgroupTime(cgroup_);
  if (!own || !own_) return noise;
  double own_ticks = (*own - *own_) * static_cast<double>(sysconf(_SC_CLK_TCK));
  noise.others = std::max(0.0, (static_cast<double>(time.busy - busy_) - own_ticks) / all);
  return noise;
}

}  // namespace kiste::bench
