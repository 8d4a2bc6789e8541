// SPDX-License-Identifier: Apache-2.0
#include "runtime/update.h"

#include "base/json.h"
#include "base/strings.h"
#include "cli/command.h"
#include "cli/quantities.h"
#include "oci/parse.h"
#include "sys/file.h"

namespace kiste::cli {

namespace {

constexpr Option kOptions[] = {
    {"resources", 'r', "FILE", "linux.resources as JSON, - from standard input; alone counts"},
    {"blkio-weight", 0, "WEIGHT", "10 to 1000"},
    {"cpu-period", 0, "US", "length of the period that the quota is for, in microseconds"},
    {"cpu-quota", 0, "US", "cpu time in a period, in microseconds; -1: no limit"},
    {"cpu-burst", 0, "US", "what may be saved up beyond the quota, in microseconds"},
    {"cpu-share", 0, "SHARES", "weight against other containers, 2 to 262144"},
    {"cpu-rt-period", 0, "US", "the same for real-time processes (v1)"},
    {"cpu-rt-runtime", 0, "US", "the same for real-time processes (v1)"},
    {"cpuset-cpus", 0, "LIST", "cpus to run on: 0-3,7"},
    {"cpuset-mems", 0, "LIST", "memory nodes to use"},
    {"cpu-idle", 0, "0|1", "1: run only when nobody else wants to"},
    {"memory", 0, "SIZE", "memory limit: 64m, or -1 for none"},
    {"memory-reservation", 0, "SIZE", "memory that is left alone as long as possible"},
    {"memory-swap", 0, "SIZE", "limit of memory and swap together, or -1 for none"},
    {"kernel-memory", 0, "SIZE", "ignored"},
    {"kernel-memory-tcp", 0, "SIZE", "ignored"},
    {"pids-limit", 0, "N", "how many processes and threads; -1: no limit"},
    {"l3-cache-schema", 0, "SCHEMA", "Intel RDT: L3 cache"},
    {"mem-bw-schema", 0, "SCHEMA", "Intel RDT: memory bandwidth"},
};

// The option's whole number, if one is given.
template <typename T>
Status ReadNumber(const Arguments& arguments, std::string_view name, std::optional<T>& to) {
  std::string text = arguments.Value(name);
  if (text.empty()) return {};
  if constexpr (std::is_signed_v<T>) {
    to = ParseInt(text);
  } else {
    to = ParseUint(text);
  }
  if (to) return {};
  return Invalid(StrCat("--", name, ": expected a whole number, found ", Quote(text)));
}

Status ReadSize(const Arguments& arguments, std::string_view name, std::optional<int64_t>& to) {
  std::string text = arguments.Value(name);
  if (!text.empty()) to = TRY(ParseBytes(name, text));
  return {};
}

Result<oci::Memory> ReadMemory(const Arguments& arguments) {
  oci::Memory memory;
  TRY(ReadSize(arguments, "memory", memory.limit));
  TRY(ReadSize(arguments, "memory-swap", memory.swap));
  TRY(ReadSize(arguments, "memory-reservation", memory.reservation));
  TRY(ReadSize(arguments, "kernel-memory", memory.kernel));
  TRY(ReadSize(arguments, "kernel-memory-tcp", memory.kernel_tcp));
  return memory;
}

Result<oci::Cpu> ReadCpu(const Arguments& arguments) {
  oci::Cpu cpu;
  TRY(ReadNumber(arguments, "cpu-period", cpu.period));
  TRY(ReadNumber(arguments, "cpu-quota", cpu.quota));
  TRY(ReadNumber(arguments, "cpu-burst", cpu.burst));
  TRY(ReadNumber(arguments, "cpu-share", cpu.shares));
  TRY(ReadNumber(arguments, "cpu-rt-period", cpu.realtime_period));
  TRY(ReadNumber(arguments, "cpu-rt-runtime", cpu.realtime_runtime));
  TRY(ReadNumber(arguments, "cpu-idle", cpu.idle));
  cpu.cpus = arguments.Value("cpuset-cpus");
  cpu.mems = arguments.Value("cpuset-mems");
  return cpu;
}

Result<oci::Resources> ReadOptions(const Arguments& arguments) {
  oci::Resources resources;
  resources.memory = TRY(ReadMemory(arguments));
  resources.cpu = TRY(ReadCpu(arguments));
  TRY(ReadNumber(arguments, "pids-limit", resources.pids_limit));
  std::optional<uint64_t> weight;
  TRY(ReadNumber(arguments, "blkio-weight", weight));
  constexpr uint64_t kLowest = 10, kHighest = 1000;
  if (weight.value_or(0) == 0) return resources;
  if (*weight < kLowest || *weight > kHighest) {
    return Invalid(StrCat("--blkio-weight: expected a number from 10 to 1000, found ", *weight));
  }
  resources.block_io.emplace().weight = static_cast<uint16_t>(*weight);
  return resources;
}

Result<oci::Resources> ReadFile(const std::string& path, std::chrono::milliseconds patience) {
  bool standard_input = path == "-";
  std::string name = standard_input ? "standard input" : path;
  auto text = standard_input
                  ? sys::ReadAll(0, name, json::kMaxBytes)  // as long as who types it takes
                  : sys::ReadFileWithin(path, json::kMaxBytes, Deadline::In(patience));
  if (!text) return Context(std::move(text), "--resources");
  return oci::ParseResources(std::move(*text), name);
}

Result<int> Run(Session& session) {
  const auto& arguments = session.arguments;
  runtime::UpdateRequest request;
  request.id = session.Id();
  std::string file = arguments.Value("resources");
  request.resources =
      file.empty() ? TRY(ReadOptions(arguments)) : TRY(ReadFile(file, session.patience));
  request.pids_zero = file.empty() ? runtime::PidsZero::kLimit : runtime::PidsZero::kAsConfig;
  if (file.empty()) {
    request.l3_cache_schema = arguments.Value("l3-cache-schema");
    request.mem_bw_schema = arguments.Value("mem-bw-schema");
  }
  request.warn = session.Warn();
  auto store = TRY(session.OpenStore());
  TRY(runtime::Update(store, std::move(request)));
  return 0;
}

}  // namespace

const Command kUpdateCommand = {
    "update", "<container-id>", "change a container's limits", kOptions, 1, 1, Run};

}  // namespace kiste::cli
