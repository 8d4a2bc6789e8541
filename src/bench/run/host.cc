// SPDX-License-Identifier: Apache-2.0
#include "bench/run/host.h"

#include <fcntl.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>

#include "base/strings.h"
#include "sys/cgroup/layout.h"
#include "sys/file.h"

namespace kiste::bench {

namespace {

// The value of the first line "name<separator> value".
std::string Line(const std::string& path, std::string_view name, char separator) {
  auto text = sys::ReadFileAt(AT_FDCWD, path);
  if (!text) return {};
  for (auto line : Split(*text, '\n')) {
    size_t at = line.find(separator);
    if (at == std::string_view::npos || Trim(line.substr(0, at)) != name) continue;
    auto value = Trim(line.substr(at + 1));
    if (value.size() > 1 && value.front() == '"') value = value.substr(1, value.size() - 2);
    return std::string(value);
  }
  return {};
}

void AddFile(HostFacts& facts, const char* key, const std::string& path) {
  auto text = sys::ReadFileAt(AT_FDCWD, path);
  if (text && !Trim(*text).empty()) facts.emplace_back(key, Trim(*text));
}

std::string CgroupKind() {
  auto layout = sys::cgroup::Detect();
  if (!layout) return "unknown";
  switch (layout->kind) {
    case sys::cgroup::Kind::kNone:
      return "none";
    case sys::cgroup::Kind::kV1:
      return "v1";
    case sys::cgroup::Kind::kV2:
      return "v2";
    case sys::cgroup::Kind::kHybrid:
      return "hybrid";
  }
  return "unknown";
}

std::string FileSystem(const std::string& folder) {
  struct statfs about = {};
  if (statfs(folder.c_str(), &about) != 0) return {};
  struct Type {
    unsigned long magic;
    const char* name;
  };
  constexpr Type kTypes[] = {
      {0xef53, "ext2, ext3 or ext4"}, {0x01021994, "tmpfs"},   {0x58465342, "xfs"},
      {0x9123683e, "btrfs"},          {0x794c7630, "overlay"}, {0x2fc12fc1, "zfs"}};
  for (const auto& type : kTypes) {
    if (type.magic == static_cast<unsigned long>(about.f_type)) return type.name;
  }
  return StrCat("type ", static_cast<unsigned long>(about.f_type));
}

void AddMitigations(HostFacts& facts) {
  const std::string folder = "/sys/devices/system/cpu/vulnerabilities";
  auto opened = sys::Open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!opened) return;
  auto names = sys::ListDirectory(opened->get(), folder);
  if (!names) return;
  std::sort(names->begin(), names->end());
  for (const auto& name : *names) {
    auto text = sys::ReadFileAt(opened->get(), name);
    if (text && !text->starts_with("Not affected"))
      facts.emplace_back(StrCat("mitigation ", name), Trim(*text));
  }
}

}  // namespace

HostFacts DescribeHost(const std::string& folder) {
  HostFacts facts;
  utsname name = {};
  if (uname(&name) == 0) {
    facts.emplace_back("kernel", StrCat(name.sysname, " ", name.release, " ", name.machine));
    facts.emplace_back("kernel build", name.version);
  }
  facts.emplace_back("distribution", Line("/etc/os-release", "PRETTY_NAME", '='));
  facts.emplace_back("processor", Line("/proc/cpuinfo", "model name", ':'));
  facts.emplace_back("processors", StrCat(sysconf(_SC_NPROCESSORS_ONLN)));
  facts.emplace_back("memory", Line("/proc/meminfo", "MemTotal", ':'));
  facts.emplace_back("swap", Line("/proc/meminfo", "SwapTotal", ':'));
  facts.emplace_back("cgroups", CgroupKind());
  facts.emplace_back("file system of the run", FileSystem(folder));
  auto flags = Line("/proc/cpuinfo", "flags", ':');
  facts.emplace_back("hypervisor", flags.find(" hypervisor") != std::string::npos ? "yes" : "no");
  AddFile(facts, "kernel command line", "/proc/cmdline");
  AddFile(facts, "clock source",
          "/sys/devices/system/clocksource/clocksource0/current_clocksource");
  AddFile(facts, "frequency governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  AddFile(facts, "transparent huge pages", "/sys/kernel/mm/transparent_hugepage/enabled");
  AddFile(facts, "security modules", "/sys/kernel/security/lsm");
  AddFile(facts, "simultaneous multithreading", "/sys/devices/system/cpu/smt/control");
  AddMitigations(facts);
  std::erase_if(facts, [](const auto& fact) { return fact.second.empty(); });
  return facts;
}

}  // namespace kiste::bench
