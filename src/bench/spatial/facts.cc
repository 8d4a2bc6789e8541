// SPDX-License-Identifier: Apache-2.0
#include "bench/spatial/facts.h"

#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <array>
#include <cstring>

#include "base/strings.h"
#include "sys/file.h"
#include "sys/mountinfo.h"

namespace kiste::bench {

namespace {

void TellFile(std::vector<Marker>& markers, const char* name, const char* path) {
  Result<std::string> text = sys::ReadFileAt(AT_FDCWD, path, 4096);
  if (text && !Trim(*text).empty()) markers.push_back({name, std::string(Trim(*text))});
}

// When a clock began, in seconds of real time.
int64_t Began(clockid_t clock) {
  timespec now{};
  timespec since{};
  clock_gettime(CLOCK_REALTIME, &now);
  clock_gettime(clock, &since);
  return now.tv_sec - since.tv_sec;
}

// "pid:[4026531836]" of /proc/self/ns/pid.
void TellNamespaces(std::vector<Marker>& markers) {
  for (const char* kind : {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"}) {
    Result<std::string> link = sys::ReadLink(StrCat("/proc/self/ns/", kind));
    if (!link) continue;
    size_t open = link->find('[');
    size_t close = link->find(']');
    if (open == std::string::npos || close == std::string::npos) continue;
    markers.push_back({StrCat("ns-", kind), link->substr(open + 1, close - open - 1)});
  }
}

// The block device under "/", and its file system.
void TellRoot(std::vector<Marker>& markers) {
  Result<std::string> table = sys::ReadFileAt(AT_FDCWD, "/proc/self/mountinfo");
  if (!table) return;
  for (std::string_view line : Split(*table, '\n')) {
    std::optional<sys::MountLine> mount = sys::ReadMountLine(line);
    if (!mount || mount->point != "/") continue;
    // Field 3 is the device.
    std::vector<std::string_view> words = Split(line, ' ');
    markers.push_back({"root-device", std::string(words[2])});
    markers.push_back({"root-type", std::string(mount->type)});
    return;
  }
}

void TellSizes(std::vector<Marker>& markers) {
  struct sysinfo about{};
  if (sysinfo(&about) == 0) {
    markers.push_back({"memory-total", StrCat(uint64_t{about.totalram} * about.mem_unit)});
  }
  struct statvfs disk{};
  if (statvfs("/", &disk) == 0) {
    markers.push_back({"disk", StrCat(uint64_t{disk.f_blocks} * disk.f_frsize)});
  }
  markers.push_back({"processors", StrCat(sysconf(_SC_NPROCESSORS_ONLN))});
}

}  // namespace

std::string ProcessorName() {
#if defined(__x86_64__)
  std::array<unsigned, 12> words{};
  for (unsigned i = 0; i < 3; i++) {
    unsigned* at = words.data() + size_t{4} * i;
    if (__get_cpuid(0x80000002U + i, at, at + 1, at + 2, at + 3) == 0) return "";
  }
  std::array<char, sizeof words + 1> name{};
  std::memcpy(name.data(), words.data(), sizeof words);
  return name.data();
#else
  return "";
#endif
}

void TellFacts(std::vector<Marker>& markers) {
  TellFile(markers, "boot-id", "/proc/sys/kernel/random/boot_id");
  TellFile(markers, "machine-id", "/etc/machine-id");
  utsname name{};
  if (uname(&name) == 0) {
    markers.push_back({"kernel", StrCat(name.release, " ", name.version)});
    markers.push_back({"host-name", name.nodename});
  }
  markers.push_back({"boot-time", StrCat(Began(CLOCK_BOOTTIME))});
  markers.push_back({"monotonic-start", StrCat(Began(CLOCK_MONOTONIC))});
  std::string processor = ProcessorName();
  if (!processor.empty()) markers.push_back({"processor", processor});
  TellNamespaces(markers);
  TellRoot(markers);
  TellSizes(markers);
}

}  // namespace kiste::bench
