// SPDX-License-Identifier: Apache-2.0
//
// What a cgroup has used, as values: for `events --stats` and for measuring. The same fields for v1
// and v2; what a host does not count is 0 or empty, an absent limit is kUnlimited on v2, and on v1
// the kernel's number for it, which is not much below 2^63.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace kiste::sys::cgroup {

constexpr uint64_t kUnlimited = UINT64_MAX;

struct Pressure {  // PSI (Documentation/accounting/psi.rst): shares of time in percent, total in µs
  struct Line {
    double avg10 = 0, avg60 = 0, avg300 = 0;
    uint64_t total = 0;
  };
  Line some, full;
};

struct CpuStats {
  uint64_t usage = 0, user = 0, kernel = 0;                         // ns
  std::vector<uint64_t> percpu, percpu_user, percpu_kernel;         // ns; v1 only
  uint64_t periods = 0, throttled_periods = 0, throttled_time = 0;  // time in ns
  uint64_t burst_periods = 0, burst_time = 0;                       // time in ns
  std::optional<Pressure> pressure;
};

struct MemoryUsage {
  uint64_t usage = 0, max = 0, failcnt = 0;  // bytes, bytes, times; v2 has no failcnt
  uint64_t limit = kUnlimited;
};

struct MemoryStats {
  uint64_t cache = 0;
  MemoryUsage memory;
  MemoryUsage swap;                     // memory and swap together, as v1 counts
  MemoryUsage kernel, kernel_tcp;       // v1 only
  std::map<std::string, uint64_t> raw;  // memory.stat
  uint64_t oom_kills = 0;
  std::optional<Pressure> pressure;
};

struct PidsStats {
  uint64_t current = 0;
  uint64_t limit = kUnlimited;
};

struct BlockIoEntry {
  uint64_t major = 0, minor = 0;
  std::string op;  // Read, Write, …
  uint64_t value = 0;
};

struct BlockIoStats {  // with those of the cgroups below
  std::vector<BlockIoEntry> service_bytes, serviced;
  std::vector<BlockIoEntry> queued, service_time, wait_time, merged, time, sectors;  // v1 only
  std::optional<Pressure> pressure;
};

struct HugetlbStats {
  uint64_t usage = 0, max = 0, failcnt = 0;
};

struct CpusetStats {
  std::string cpus, mems;  // lists: "0-3,7"
  // v1 only
  uint64_t cpu_exclusive = 0, mem_exclusive = 0, mem_hardwall = 0, memory_migrate = 0,
           memory_spread_page = 0, memory_spread_slab = 0, memory_pressure = 0,
           sched_load_balance = 0;
  int64_t sched_relax_domain_level = 0;
};

struct Stats {
  CpuStats cpu;
  CpusetStats cpuset;
  MemoryStats memory;
  PidsStats pids;
  BlockIoStats block_io;
  std::map<std::string, HugetlbStats> hugetlb;  // by page size, "2MB"
};

}  // namespace kiste::sys::cgroup
