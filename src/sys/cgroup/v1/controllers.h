// SPDX-License-Identifier: Apache-2.0
//
// What cgroup v1 controllers can do (Documentation/admin-guide/cgroup-v1/), one file for each:
// setting limits, freezing, counting. Each function gets the container's directory in the
// controller's hierarchy and writes only the files that a given value needs.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"
#include "sys/cgroup/device_rules.h"
#include "sys/cgroup/directory.h"
#include "sys/cgroup/resources.h"
#include "sys/cgroup/stats.h"

namespace kiste::sys::cgroup::v1 {

// A new cpuset is empty, and an empty one takes no processes: fills cpuset.cpus and cpuset.mems of
// the directory, and of those parents that are empty, from the nearest parent that has some.
// `made` is how many levels, counted from the directory upwards, are known to be new.
Status InheritCpuset(const Directory& directory, size_t made);

Status SetCpuset(const Directory& directory, const Cpu& cpu);
// Memory and swap limits depend on each other (limit <= memsw), so their order depends on whether
// they rise or fall.
Status SetMemory(const Directory& directory, const Memory& memory);
Status SetCpu(const Directory& directory, const Cpu& cpu);
Status SetBlockIo(const Directory& directory, const BlockIo& block_io);
Status SetHugetlb(const Directory& directory, const std::vector<HugepageLimit>& limits);
Status SetNetClass(const Directory& directory, const Network& network);
Status SetNetPriorities(const Directory& directory, const Network& network);
// What has to be written so that `rules` hold, by what devices.list says now.
Result<DeviceChange> PlanDevices(const Directory& directory, const std::vector<DeviceRule>& rules);
// Writes it. Where the default changes, everything is denied for a moment, or nothing.
Status ChangeDevices(const Directory& directory, const DeviceChange& change);

Status Freeze(const Directory& directory, std::chrono::milliseconds limit);
Status Thaw(const Directory& directory);
Result<bool> IsFrozen(const Directory& directory);

// Each fills its part of the stats from its controller's directory.
Status ReadCpu(const Directory& directory, CpuStats& stats);
Status ReadCpuacct(const Directory& directory, CpuStats& stats);
Status ReadMemory(const Directory& directory, MemoryStats& stats);
Status ReadCpuset(const Directory& directory, CpusetStats& stats);
Status ReadBlockIo(const Directory& directory, BlockIoStats& stats);
// False when this host's kernel does not count pages of that size here.
Result<bool> ReadHugetlb(const Directory& directory, const std::string& page_size,
                         HugetlbStats& stats);

}  // namespace kiste::sys::cgroup::v1
