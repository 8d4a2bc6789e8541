// SPDX-License-Identifier: Apache-2.0
//
// The formats of the kernel's counting files (cgroup-v2.rst, "Format"): flat keyed, nested keyed,
// lists of numbers, pressure. For stats of v1 and v2. What does not parse is passed over: a new
// kernel's additions are no error.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/cgroup/directory.h"
#include "sys/cgroup/stats.h"

namespace kiste::sys::cgroup {

// The words of each line.
std::vector<std::vector<std::string_view>> ParseLines(std::string_view text);
// `key value` lines.
std::map<std::string, uint64_t> ParseFlat(std::string_view text);
// `some avg10=0.00 avg60=0.00 avg300=0.00 total=0` and the same for full.
Pressure ParsePressure(std::string_view text);
// v1: `8:0 Read 123` lines. Totals over devices are left out.
std::vector<BlockIoEntry> ParseBlockIo(std::string_view text);
// v2: `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6` lines, in v1's words.
void ParseIoStat(std::string_view text, BlockIoStats& stats);

// The file's text, or "" when the kernel has no such file.
Result<std::string> ReadIfThere(const Directory& directory, std::string_view file);
// Sets `to` if the kernel has the file.
Status ReadNumberIfThere(const Directory& directory, std::string_view file, uint64_t& to);

}  // namespace kiste::sys::cgroup
