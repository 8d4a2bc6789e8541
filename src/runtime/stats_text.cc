// SPDX-License-Identifier: Apache-2.0
#include "runtime/stats_text.h"

#include "base/json.h"
#include "base/strings.h"

namespace kiste::runtime {

namespace {

namespace cg = sys::cgroup;
using Writer = json::CompactWriter;

// As Go's omitempty: a number that is 0 is not there.
void UnlessZero(Writer& writer, std::string_view key, uint64_t number) {
  if (number != 0) json::Member(writer, key, number);
}

template <typename Write>
void Object(Writer& writer, std::string_view key, Write write) {
  json::Key(writer, key);
  writer.StartObject();
  write();
  writer.EndObject();
}

void Numbers(Writer& writer, std::string_view key, const std::vector<uint64_t>& numbers) {
  if (numbers.empty()) return;
  json::Key(writer, key);
  writer.StartArray();
  for (uint64_t number : numbers) writer.Uint64(number);
  writer.EndArray();
}

// "0-2,5" as [0,1,2,5]. The kernel has written it; 16 bits hold every cpu and node.
std::vector<uint64_t> Expanded(std::string_view list) {
  constexpr uint64_t kMost = 0xffff;
  std::vector<uint64_t> numbers;
  for (auto range : Split(list, ',')) {
    size_t dash = range.find('-');
    auto first = ParseUint(range.substr(0, dash));
    auto last = dash == std::string_view::npos ? first : ParseUint(range.substr(dash + 1));
    if (!first || !last || *last > kMost) continue;
    for (uint64_t number = *first; number <= *last; ++number) numbers.push_back(number);
  }
  return numbers;
}

void WritePressure(Writer& writer, const std::optional<cg::Pressure>& pressure) {
  if (!pressure) return;
  auto line = [&](std::string_view key, const cg::Pressure::Line& shares) {
    Object(writer, key, [&] {
      json::Member(writer, "avg10", shares.avg10);
      json::Member(writer, "avg60", shares.avg60);
      json::Member(writer, "avg300", shares.avg300);
      json::Member(writer, "total", shares.total);
    });
  };
  Object(writer, "psi", [&] {
    line("some", pressure->some);
    line("full", pressure->full);
  });
}

void WriteCpu(Writer& writer, const cg::CpuStats& cpu) {
  Object(writer, "usage", [&] {
    UnlessZero(writer, "total", cpu.usage);
    Numbers(writer, "percpu", cpu.percpu);
    Numbers(writer, "percpu_kernel", cpu.percpu_kernel);
    Numbers(writer, "percpu_user", cpu.percpu_user);
    json::Member(writer, "kernel", cpu.kernel);
    json::Member(writer, "user", cpu.user);
  });
  Object(writer, "throttling", [&] {
    UnlessZero(writer, "periods", cpu.periods);
    UnlessZero(writer, "throttledPeriods", cpu.throttled_periods);
    UnlessZero(writer, "throttledTime", cpu.throttled_time);
  });
  WritePressure(writer, cpu.pressure);
}

void WriteCpuset(Writer& writer, const cg::CpusetStats& cpuset) {
  Numbers(writer, "cpus", Expanded(cpuset.cpus));
  json::Member(writer, "cpu_exclusive", cpuset.cpu_exclusive);
  Numbers(writer, "mems", Expanded(cpuset.mems));
  json::Member(writer, "mem_hardwall", cpuset.mem_hardwall);
  json::Member(writer, "mem_exclusive", cpuset.mem_exclusive);
  json::Member(writer, "memory_migrate", cpuset.memory_migrate);
  json::Member(writer, "memory_spread_page", cpuset.memory_spread_page);
  json::Member(writer, "memory_spread_slab", cpuset.memory_spread_slab);
  json::Member(writer, "memory_pressure", cpuset.memory_pressure);
  json::Member(writer, "sched_load_balance", cpuset.sched_load_balance);
  json::Member(writer, "sched_relax_domain_level", cpuset.sched_relax_domain_level);
}

void WriteUsage(Writer& writer, std::string_view key, const cg::MemoryUsage& usage) {
  Object(writer, key, [&] {
    json::Member(writer, "limit", usage.limit);
    UnlessZero(writer, "usage", usage.usage);
    UnlessZero(writer, "max", usage.max);
    json::Member(writer, "failcnt", usage.failcnt);
  });
}

void WriteMemory(Writer& writer, const cg::MemoryStats& memory) {
  UnlessZero(writer, "cache", memory.cache);
  WriteUsage(writer, "usage", memory.memory);
  WriteUsage(writer, "swap", memory.swap);
  WriteUsage(writer, "kernel", memory.kernel);
  WriteUsage(writer, "kernelTCP", memory.kernel_tcp);
  if (!memory.raw.empty()) {
    Object(writer, "raw", [&] {
      for (const auto& [name, value] : memory.raw) json::Member(writer, name, value);
    });
  }
  WritePressure(writer, memory.pressure);
}

void WriteEntries(Writer& writer, std::string_view key,
                  const std::vector<cg::BlockIoEntry>& entries) {
  if (entries.empty()) return;
  json::Key(writer, key);
  writer.StartArray();
  for (const auto& entry : entries) {
    writer.StartObject();
    UnlessZero(writer, "major", entry.major);
    UnlessZero(writer, "minor", entry.minor);
    if (!entry.op.empty()) json::Member(writer, "op", std::string_view(entry.op));
    UnlessZero(writer, "value", entry.value);
    writer.EndObject();
  }
  writer.EndArray();
}

void WriteBlockIo(Writer& writer, const cg::BlockIoStats& io) {
  WriteEntries(writer, "ioServiceBytesRecursive", io.service_bytes);
  WriteEntries(writer, "ioServicedRecursive", io.serviced);
  WriteEntries(writer, "ioQueueRecursive", io.queued);
  WriteEntries(writer, "ioServiceTimeRecursive", io.service_time);
  WriteEntries(writer, "ioWaitTimeRecursive", io.wait_time);
  WriteEntries(writer, "ioMergedRecursive", io.merged);
  WriteEntries(writer, "ioTimeRecursive", io.time);
  WriteEntries(writer, "sectorsRecursive", io.sectors);
  WritePressure(writer, io.pressure);
}

void TextUnlessEmpty(Writer& writer, std::string_view key, std::string_view text) {
  if (!text.empty()) json::Member(writer, key, text);
}

void WriteCache(Writer& writer, const RdtStats::Cache& cache) {
  Object(writer, "l3_cache_info", [&] {
    TextUnlessEmpty(writer, "cbm_mask", cache.cbm_mask);
    UnlessZero(writer, "min_cbm_bits", cache.min_cbm_bits);
    UnlessZero(writer, "num_closids", cache.num_closids);
  });
  TextUnlessEmpty(writer, "l3_cache_schema_root", cache.root_schema);
  TextUnlessEmpty(writer, "l3_cache_schema", cache.schema);
}

void WriteBandwidth(Writer& writer, const RdtStats::Bandwidth& bandwidth) {
  Object(writer, "mem_bw_info", [&] {
    UnlessZero(writer, "bandwidth_gran", bandwidth.gran);
    UnlessZero(writer, "delay_linear", bandwidth.delay_linear);
    UnlessZero(writer, "min_bandwidth", bandwidth.min_bandwidth);
    UnlessZero(writer, "num_closids", bandwidth.num_closids);
  });
  TextUnlessEmpty(writer, "mem_bw_schema_root", bandwidth.root_schema);
  TextUnlessEmpty(writer, "mem_bw_schema", bandwidth.schema);
}

template <typename Write>
void Domains(Writer& writer, std::string_view key, const RdtStats& rdt, Write write) {
  json::Key(writer, key);
  writer.StartArray();
  for (const auto& domain : rdt.domains) {
    writer.StartObject();
    write(domain);
    writer.EndObject();
  }
  writer.EndArray();
}

void WriteRdt(Writer& writer, const RdtStats& rdt) {
  if (rdt.cache) WriteCache(writer, *rdt.cache);
  if (rdt.bandwidth) WriteBandwidth(writer, *rdt.bandwidth);
  if (rdt.counts_bandwidth) {
    Domains(writer, "mbm_stats", rdt, [&](const sys::ResctrlCounters& domain) {
      UnlessZero(writer, "mbm_total_bytes", domain.mbm_total_bytes.value_or(0));
      UnlessZero(writer, "mbm_local_bytes", domain.mbm_local_bytes.value_or(0));
    });
  }
  if (rdt.counts_occupancy) {
    Domains(writer, "cmt_stats", rdt, [&](const sys::ResctrlCounters& domain) {
      UnlessZero(writer, "llc_occupancy", domain.llc_occupancy.value_or(0));
    });
  }
}

void WriteData(Writer& writer, const cg::Stats& stats, const std::optional<RdtStats>& rdt) {
  Object(writer, "cpu", [&] { WriteCpu(writer, stats.cpu); });
  Object(writer, "cpuset", [&] { WriteCpuset(writer, stats.cpuset); });
  Object(writer, "memory", [&] { WriteMemory(writer, stats.memory); });
  Object(writer, "pids", [&] {
    UnlessZero(writer, "current", stats.pids.current);
    // No limit is written as 0 there, and so not at all.
    UnlessZero(writer, "limit", stats.pids.limit == cg::kUnlimited ? 0 : stats.pids.limit);
  });
  Object(writer, "blkio", [&] { WriteBlockIo(writer, stats.block_io); });
  Object(writer, "hugetlb", [&] {
    for (const auto& [size, pages] : stats.hugetlb) {
      Object(writer, size, [&] {
        UnlessZero(writer, "usage", pages.usage);
        UnlessZero(writer, "max", pages.max);
        json::Member(writer, "failcnt", pages.failcnt);
      });
    }
  });
  Object(writer, "intel_rdt", [&] {
    if (rdt) WriteRdt(writer, *rdt);
  });
  json::Key(writer, "network_interfaces");
  writer.Null();
}

template <typename Write>
std::string Event(std::string_view type, const std::string& id, Write write) {
  json::Buffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  json::Member(writer, "type", type);
  json::Member(writer, "id", std::string_view(id));
  write(writer);
  writer.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

}  // namespace

std::string StatsEvent(const std::string& id, const cg::Stats& stats,
                       const std::optional<RdtStats>& rdt) {
  return Event("stats", id, [&](Writer& writer) {
    Object(writer, "data", [&] { WriteData(writer, stats, rdt); });
  });
}

std::string OomEvent(const std::string& id) {
  return Event("oom", id, [](Writer&) {});
}

}  // namespace kiste::runtime
