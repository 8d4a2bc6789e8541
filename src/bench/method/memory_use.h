// SPDX-License-Identifier: Apache-2.0
//
// What instances take of memory, by three clocks: the processes' proportional set size
// (/proc/PID/smaps_rollup), the cgroup's charge, and the kernel's own (/proc/meminfo).
#pragma once

#include <string>

#include "base/result.h"

namespace kiste::bench {

struct MemoryUse {
  double pss = 0;        // bytes, of all processes in the room but ourselves
  double processes = 0;  // how many these are
  double charge = 0;     // bytes charged to `cgroup` and below; 0 without a controller memory
  double kernel = 0;     // bytes of slab, kernel stacks, page tables, per-cpu areas; whole machine
};

// Bytes that the machine still has (MemAvailable). Cheap, where ReadMemoryUse walks every process.
Result<double> AvailableMemory();

// Must be asked in the run's own pid namespace.
Result<MemoryUse> ReadMemoryUse(const std::string& cgroup);

}  // namespace kiste::bench
