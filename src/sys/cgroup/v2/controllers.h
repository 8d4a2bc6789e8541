// SPDX-License-Identifier: Apache-2.0
//
// What cgroup v2 can do (Documentation/admin-guide/cgroup-v2.rst), a file for each controller:
// setting limits, freezing, counting. Each function gets the container's directory and writes only
// the files that a given value needs.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/cgroup/directory.h"
#include "sys/cgroup/resources.h"
#include "sys/cgroup/stats.h"

namespace kiste::sys::cgroup::v2 {

// A controller works in a cgroup when cgroup.subtree_control of every directory above names it.
// Enables all that the mount point's directory offers in every parent of the directory. What cannot
// be enabled (no permission, not delegated, a parent with processes) shows when a limit needs it.
void EnableAllControllers(const Directory& directory);
// The same for one controller.
void EnableController(const Directory& directory, std::string_view controller);
// Whether `controller` is enabled in the directory.
Result<bool> HasController(const Directory& directory, std::string_view controller);
// Gives the directory and the files that may be delegated to `uid`.
Status Delegate(const Directory& directory, uid_t uid);

Status SetMemory(const Directory& directory, const Memory& memory);
Status SetCpu(const Directory& directory, const Cpu& cpu);
Status SetCpuset(const Directory& directory, const Cpu& cpu);
Status SetIo(const Directory& directory, const BlockIo& block_io);
Status SetHugetlb(const Directory& directory, const std::vector<HugepageLimit>& limits);
// Replaces the device programs attached to the directory by one made from `rules`.
Status SetDevices(const Directory& directory, const std::vector<DeviceRule>& rules);

// cpu.weight (1 to 10000, 100 is the default) for cpu.shares (2 to 262144, 1024 is the default):
// log10(weight) is the parabola in log2(shares) through minimum, default and maximum, as in runc
// since 1.3.2 and crun since 1.23.
uint64_t WeightFromShares(uint64_t shares);
// memory.swap.max for the specification's swap, which includes memory; "" leaves it as it is.
// kInvalid when it is less than the memory's limit.
Result<std::string> SwapMax(int64_t limit, int64_t swap);
// io.weight (1 to 10000) for blkio.weight (10 to 1000), linearly.
uint64_t IoWeightFromBlkio(uint16_t weight);

// Waits until the line `key` of cgroup.events has the value `value`. kTimeout after `limit`.
Status WaitEvent(const Directory& directory, std::string_view key, std::string_view value,
                 std::chrono::milliseconds limit);

Status Freeze(const Directory& directory, std::chrono::milliseconds limit);
Status Thaw(const Directory& directory);
Result<bool> IsFrozen(const Directory& directory);
// SIGKILL to all in the cgroup and below, at once (since Linux 5.14). False when the kernel cannot.
Result<bool> Kill(const Directory& directory);

Status ReadStats(const Directory& directory, Stats& stats);
// False when this host's kernel does not count pages of that size here.
Result<bool> ReadHugetlb(const Directory& directory, const std::string& page_size,
                         HugetlbStats& stats);

}  // namespace kiste::sys::cgroup::v2
