// SPDX-License-Identifier: Apache-2.0
#include "runtime/stats_text.h"

#include <gtest/gtest.h>

namespace kiste::runtime {
namespace {

TEST(StatsText, NothingCounted) {
  sys::cgroup::Stats stats;
  stats.memory.memory.limit = stats.memory.swap.limit = 0;
  stats.memory.kernel.limit = stats.memory.kernel_tcp.limit = 0;
  EXPECT_EQ(StatsEvent("x", stats),
            R"({"type":"stats","id":"x","data":{"cpu":{"usage":{"kernel":0,"user":0},)"
            R"("throttling":{}},"cpuset":{"cpu_exclusive":0,"mem_hardwall":0,"mem_exclusive":0,)"
            R"("memory_migrate":0,"memory_spread_page":0,"memory_spread_slab":0,)"
            R"("memory_pressure":0,"sched_load_balance":0,"sched_relax_domain_level":0},)"
            R"("memory":{"usage":{"limit":0,"failcnt":0},"swap":{"limit":0,"failcnt":0},)"
            R"("kernel":{"limit":0,"failcnt":0},"kernelTCP":{"limit":0,"failcnt":0}},)"
            R"("pids":{},"blkio":{},"hugetlb":{},"intel_rdt":{},"network_interfaces":null}})"
            "\n");
}

TEST(StatsText, WhatIsCountedIsThere) {
  sys::cgroup::Stats stats;
  stats.cpu.percpu = {1, 0};
  stats.cpuset.cpus = "0-2,5";
  stats.cpuset.sched_relax_domain_level = -1;
  stats.pids.limit = 7;
  stats.memory.raw["rss"] = 4096;
  stats.block_io.serviced = {{8, 0, "Read", 3}};
  stats.hugetlb["2MB"] = {.usage = 1, .failcnt = 2};
  stats.cpu.pressure.emplace().some.avg10 = 0.5;
  std::string line = StatsEvent("x", stats);
  for (const char* part :
       {R"("percpu":[1,0])", R"("cpus":[0,1,2,5])", R"("sched_relax_domain_level":-1)",
        R"("pids":{"limit":7})", R"("raw":{"rss":4096})",
        R"("ioServicedRecursive":[{"major":8,"op":"Read","value":3}])",
        R"("hugetlb":{"2MB":{"usage":1,"failcnt":2}})", R"("psi":{"some":{"avg10":0.5,)",
        R"("usage":{"limit":18446744073709551615,)"}) {
    EXPECT_NE(line.find(part), std::string::npos) << part << " in " << line;
  }
}

TEST(StatsText, CacheAndBandwidth) {
  RdtStats rdt;
  rdt.cache = {"7ff", 2, 16, "L3:0=7ff", "L3:0=f"};
  rdt.bandwidth = {10, 1, 10, 8, "MB:0=100", "MB:0=20"};
  rdt.counts_bandwidth = rdt.counts_occupancy = true;
  rdt.domains = {{7, 5, 3}, {}};
  std::string line = StatsEvent("x", {}, rdt);
  std::string expected =
      R"("intel_rdt":{"l3_cache_info":{"cbm_mask":"7ff","min_cbm_bits":2,"num_closids":16},)"
      R"("l3_cache_schema_root":"L3:0=7ff","l3_cache_schema":"L3:0=f",)"
      R"("mem_bw_info":{"bandwidth_gran":10,"delay_linear":1,"min_bandwidth":10,"num_closids":8},)"
      R"("mem_bw_schema_root":"MB:0=100","mem_bw_schema":"MB:0=20",)"
      R"("mbm_stats":[{"mbm_total_bytes":7,"mbm_local_bytes":5},{}],)"
      R"("cmt_stats":[{"llc_occupancy":3},{}]},)";
  EXPECT_NE(line.find(expected), std::string::npos) << line;
}

TEST(StatsText, Oom) { EXPECT_EQ(OomEvent("x"), "{\"type\":\"oom\",\"id\":\"x\"}\n"); }

}  // namespace
}  // namespace kiste::runtime
