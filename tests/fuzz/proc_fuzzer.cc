// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer over what is read from /proc and from cgroup files. An input is two texts with a line
// "--" between them: /proc/self/cgroup and mountinfo; the whole is also a mountinfo, a
// /proc/<pid>/stat, and each of the formats of counting files.
//   build/fuzz/fuzz/proc_fuzzer tests/fuzz/corpus/proc
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sys/cgroup/device_rules.h"
#include "sys/cgroup/layout.h"
#include "sys/cgroup/parse.h"
#include "sys/mountinfo.h"
#include "sys/procfs.h"

namespace {

using namespace kiste::sys;  // NOLINT: a program of one file

void Require(bool holds) {
  if (!holds) abort();
}

void CheckLayout(std::string_view cgroup, std::string_view mountinfo) {
  auto layout = cgroup::Parse(cgroup, mountinfo);
  Require((layout.kind == cgroup::Kind::kNone) == layout.hierarchies.empty());
  for (const auto& hierarchy : layout.hierarchies) {
    Require(hierarchy.own.empty() || hierarchy.own.starts_with('/'));
    Require(!hierarchy.controllers.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  constexpr std::string_view kBetween = "\n--\n";
  size_t middle = text.find(kBetween);
  if (middle != std::string_view::npos)
    CheckLayout(text.substr(0, middle), text.substr(middle + kBetween.size()));
  auto mounts = ParseMountInfo(text, "mountinfo");
  if (!mounts) Require(!mounts.error().Text().empty());
  auto stat = ParseProcessStat(text, "/proc/1/stat");
  if (!stat) Require(!stat.error().Text().empty());
  for (const auto& words : cgroup::ParseLines(text)) Require(words.size() <= text.size());
  Require(cgroup::ParseFlat(text).size() <= text.size());
  auto pressure = cgroup::ParsePressure(text);
  Require(!std::isnan(pressure.some.avg10) || text.find("nan") != std::string_view::npos);
  Require(cgroup::ParseBlockIo(text).size() <= text.size());
  cgroup::BlockIoStats stats;
  cgroup::ParseIoStat(text, stats);
  auto devices = cgroup::ParseDeviceList(text);
  Require(!devices || devices->exceptions.size() <= text.size());
  return 0;
}
