// SPDX-License-Identifier: Apache-2.0
//
// Lists of numbers and ranges, "0-3,7", as cpuset(7) writes cpus and memory nodes, and as
// process.execCPUAffinity and linux.memoryPolicy take them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace kiste::oci {

// The highest number that a list may hold: runc's limit, far above any kernel's.
constexpr uint64_t kHighestInList = 65536;

// Whether `range` is a number or two with a dash between them, ascending.
bool IsNumberRange(std::string_view range);
// A list that was checked when it was read as the kernel's bit mask: bit n of word n / 64. Empty
// for an empty list, else with no zero word at its end.
std::vector<uint64_t> NumberListBits(std::string_view list);

}  // namespace kiste::oci
