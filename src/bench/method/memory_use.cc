// SPDX-License-Identifier: Apache-2.0
#include "bench/method/memory_use.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>

#include "base/strings.h"
#include "sys/cgroup/cgroup.h"
#include "sys/file.h"

namespace kiste::bench {

namespace {

// The number of KiB in the line that begins with `name`, as bytes; 0 without such a line.
double KibLine(std::string_view text, std::string_view name) {
  for (auto line : Split(text, '\n')) {
    if (!line.starts_with(name)) continue;
    auto rest = Trim(line.substr(name.size()));
    auto number = ParseUint(rest.substr(0, rest.find(' ')));
    return number ? static_cast<double>(*number) * 1024 : 0;
  }
  return 0;
}

bool IsPid(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](unsigned char c) { return isdigit(c) != 0; });
}

Result<double> Charge(const std::string& cgroup) {
  auto layout = TRY(sys::cgroup::Detect());
  if (const auto* v1 = layout.FindV1("memory")) {
    auto text =
        TRY(sys::ReadFileAt(AT_FDCWD, StrCat(v1->mount_point, cgroup, "/memory.usage_in_bytes")));
    return static_cast<double>(ParseUint(Trim(text)).value_or(0));
  }
  const auto* v2 = layout.FindV2();
  if (v2 == nullptr) return 0.0;
  auto text = sys::ReadFileAt(AT_FDCWD, StrCat(v2->mount_point, cgroup, "/memory.current"));
  if (!text) return 0.0;
  return static_cast<double>(ParseUint(Trim(*text)).value_or(0));
}

}  // namespace

Result<double> AvailableMemory() {
  auto meminfo = TRY(sys::ReadFileAt(AT_FDCWD, "/proc/meminfo"));
  return KibLine(meminfo, "MemAvailable:");
}

Result<MemoryUse> ReadMemoryUse(const std::string& cgroup) {
  MemoryUse use;
  auto proc = TRY(sys::Open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  auto names = TRY(sys::ListDirectory(proc.get(), "/proc"));
  const auto self = StrCat(getpid());
  for (const auto& name : names) {
    if (!IsPid(name) || name == self) continue;
    auto text = sys::ReadFileAt(proc.get(), name + "/smaps_rollup");
    if (!text) continue;  // gone by now, or has no memory
    use.pss += KibLine(*text, "Pss:");
    ++use.processes;
  }
  use.charge = TRY(Charge(cgroup));
  auto meminfo = TRY(sys::ReadFileAt(proc.get(), "meminfo"));
  for (const char* line : {"Slab:", "KernelStack:", "PageTables:", "Percpu:"})
    use.kernel += KibLine(meminfo, line);
  return use;
}

}  // namespace kiste::bench
