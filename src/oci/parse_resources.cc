// SPDX-License-Identifier: Apache-2.0
//
// config-linux.md, "Control groups", and what `update --resources` reads.
#include <algorithm>
#include <limits>

#include "base/strings.h"
#include "oci/fields.h"
#include "oci/readers.h"

namespace kiste::oci {

using json::Value;

namespace {

// Bytes, or -1 for no limit.
Result<std::optional<int64_t>> ReadBytes(const Value& value) {
  if (!value) return std::nullopt;
  return TRY(IntBetween(value, -1, std::numeric_limits<int64_t>::max()));
}

Result<std::optional<uint64_t>> ReadSwappiness(const Value& value) {
  constexpr uint64_t kHighest = 100;
  auto swappiness = TRY(OptionalUint(value));
  // Docker once wrote its "not set", -1, as an unsigned number.
  if (swappiness == std::numeric_limits<uint64_t>::max()) return std::nullopt;
  if (swappiness > kHighest) return value.Expected("a whole number from 0 to 100");
  return swappiness;
}

Result<Memory> ReadMemory(const Value& value) {
  TRY(value.ExpectObject());
  Memory memory;
  memory.limit = TRY(ReadBytes(value["limit"]));
  memory.reservation = TRY(ReadBytes(value["reservation"]));
  memory.swap = TRY(ReadBytes(value["swap"]));
  memory.kernel = TRY(ReadBytes(value["kernel"]));
  memory.kernel_tcp = TRY(ReadBytes(value["kernelTCP"]));
  memory.swappiness = TRY(ReadSwappiness(value["swappiness"]));
  memory.disable_oom_killer = TRY(OptionalBool(value["disableOOMKiller"]));
  memory.use_hierarchy = TRY(OptionalBool(value["useHierarchy"]));
  memory.check_before_update = TRY(OptionalBool(value["checkBeforeUpdate"]));
  return memory;
}

Result<Cpu> ReadCpu(const Value& value) {
  TRY(value.ExpectObject());
  Cpu cpu;
  cpu.shares = TRY(OptionalUint(value["shares"]));
  cpu.quota = TRY(OptionalInt(value["quota"]));
  cpu.burst = TRY(OptionalUint(value["burst"]));
  cpu.period = TRY(OptionalUint(value["period"]));
  cpu.realtime_runtime = TRY(OptionalInt(value["realtimeRuntime"]));
  cpu.realtime_period = TRY(OptionalUint(value["realtimePeriod"]));
  cpu.cpus = TRY(OptionalString(value["cpus"]));
  cpu.mems = TRY(OptionalString(value["mems"]));
  if (Value idle = value["idle"]) cpu.idle = TRY(IntBetween(idle, 0, 1));
  return cpu;
}

Result<std::optional<int64_t>> ReadPidsLimit(const Value& value) {
  if (!TRY(HasObject(value))) return std::nullopt;
  return OptionalInt(value["limit"]);
}

// "2MB": how the files of the hugetlb controller are called.
bool IsPageSize(std::string_view text) {
  if (!text.ends_with('B')) return false;
  text.remove_suffix(1);
  if (text.empty() || std::string_view("KMGTP").find(text.back()) == std::string_view::npos)
    return false;
  text.remove_suffix(1);
  auto number = ParseUint(text);
  return number && *number != 0;
}

Result<HugepageLimit> ReadHugepageLimit(const Value& value) {
  TRY(value.ExpectObject());
  HugepageLimit limit;
  limit.page_size = TRY(RequiredString(value["pageSize"]));
  if (!IsPageSize(limit.page_size))
    return value["pageSize"].Expected("a size like 64KB, 2MB or 1GB");
  limit.limit = TRY(value["limit"].Uint());
  return limit;
}

Result<NetworkPriority> ReadNetworkPriority(const Value& value) {
  TRY(value.ExpectObject());
  NetworkPriority priority;
  priority.name = TRY(RequiredString(value["name"]));
  priority.priority = TRY(value["priority"].Uint32());
  return priority;
}

Result<Network> ReadNetwork(const Value& value) {
  TRY(value.ExpectObject());
  Network network;
  network.class_id = TRY(OptionalUint32(value["classID"]));
  network.priorities = TRY(ListOf(value["priorities"], ReadNetworkPriority));
  return network;
}

Result<std::map<std::string, Rdma>> ReadRdma(const Value& value) {
  std::map<std::string, Rdma> devices;
  auto insert = [&](std::string_view name, const Value& member) -> Status {
    TRY(member.ExpectObject());
    Rdma rdma;
    rdma.hca_handles = TRY(OptionalUint32(member["hcaHandles"]));
    rdma.hca_objects = TRY(OptionalUint32(member["hcaObjects"]));
    if (!rdma.hca_handles && !rdma.hca_objects) return member.Expected("hcaHandles or hcaObjects");
    devices.emplace(name, rdma);
    return {};
  };
  TRY(value.ForEachMember(insert));
  return devices;
}

// Names of files in a cgroup of version 2: "memory.high", never a path.
Result<std::map<std::string, std::string>> ReadUnified(const Value& value) {
  auto files = TRY(StringMap(value));
  for (const auto& [name, text] : files) {
    size_t dot = name.find('.');
    if (name.find('/') == std::string::npos && dot != 0 && dot != std::string::npos) continue;
    return value.Wrong(StrCat("expected a file's name like memory.high, found ", Quote(name)));
  }
  return files;
}

}  // namespace

Result<Resources> ReadResources(const Value& value) {
  TRY(value.ExpectObject());
  Resources resources;
  resources.devices = TRY(ListOf(value["devices"], ReadDeviceRule));
  if (Value memory = value["memory"]) resources.memory = TRY(ReadMemory(memory));
  if (Value cpu = value["cpu"]) resources.cpu = TRY(ReadCpu(cpu));
  resources.pids_limit = TRY(ReadPidsLimit(value["pids"]));
  if (Value block_io = value["blockIO"]) resources.block_io = TRY(ReadBlockIo(block_io));
  resources.hugepage_limits = TRY(ListOf(value["hugepageLimits"], ReadHugepageLimit));
  if (Value network = value["network"]) resources.network = TRY(ReadNetwork(network));
  resources.rdma = TRY(ReadRdma(value["rdma"]));
  resources.unified = TRY(ReadUnified(value["unified"]));
  return resources;
}

}  // namespace kiste::oci
