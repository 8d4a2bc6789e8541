// SPDX-License-Identifier: Apache-2.0
//
// Cgroup::PassedOver: what Apply leaves out, as runc does. config.json was written for v1; engines
// go on writing its words on hosts that have v2.
#include <algorithm>

#include "sys/cgroup/cgroup.h"

namespace kiste::sys::cgroup {

namespace {

using Fields = std::vector<std::string>;

// What no host has.
void AddObsoleteMemory(const Memory& memory, Fields& fields) {
  if (memory.kernel.value_or(0) != 0) fields.emplace_back("memory.kernel");
  if (memory.kernel_tcp.value_or(0) != 0) fields.emplace_back("memory.kernelTCP");
  if (!memory.use_hierarchy.value_or(true)) fields.emplace_back("memory.useHierarchy");
}

void AddMemory(const Memory& memory, Fields& fields) {
  if (memory.swappiness && *memory.swappiness != UINT64_MAX) {
    fields.emplace_back("memory.swappiness");
  }
  if (memory.disable_oom_killer.value_or(false)) fields.emplace_back("memory.disableOOMKiller");
}

void AddCpu(const Cpu& cpu, Fields& fields) {
  if (cpu.realtime_period.value_or(0) != 0) fields.emplace_back("cpu.realtimePeriod");
  if (cpu.realtime_runtime.value_or(0) != 0) fields.emplace_back("cpu.realtimeRuntime");
}

void AddBlockIo(const BlockIo& block_io, Fields& fields) {
  bool leaf = block_io.leaf_weight.value_or(0) != 0 ||
              std::ranges::any_of(block_io.weight_device, [](const WeightDevice& device) {
                return device.leaf_weight.value_or(0) != 0;
              });
  if (leaf) fields.emplace_back("blockIO.leafWeight");
}

void AddNetwork(const Network& network, Fields& fields) {
  if (network.class_id.value_or(0) != 0) fields.emplace_back("network.classID");
  if (!network.priorities.empty()) fields.emplace_back("network.priorities");
}

}  // namespace

std::vector<std::string> Cgroup::PassedOver(const Resources& resources) const {
  Fields fields;
  if (resources.memory) AddObsoleteMemory(*resources.memory, fields);
  if (resources.memory && Find("memory") == nullptr) AddMemory(*resources.memory, fields);
  if (resources.cpu && Find("cpu") == nullptr) AddCpu(*resources.cpu, fields);
  if (resources.block_io && Find("blkio") == nullptr) AddBlockIo(*resources.block_io, fields);
  if (resources.network && OnlyV2()) AddNetwork(*resources.network, fields);
  return fields;
}

}  // namespace kiste::sys::cgroup
