// SPDX-License-Identifier: Apache-2.0
#include "oci/merge_resources.h"

#include <algorithm>

namespace kiste::oci {

namespace {

template <typename T>
void Take(std::optional<T>& to, const std::optional<T>& given) {
  if (given) to = given;
}

void Take(std::string& to, const std::string& given) {
  if (!given.empty()) to = given;
}

// Replaces the entry of `list` that is the `same` as each of `given`, or appends it. Of several
// that are the same the last counts.
template <typename T, typename Same, typename Replace>
void Upsert(std::vector<T>& list, const std::vector<T>& given, Same same, Replace replace) {
  for (const auto& entry : given) {
    auto found = std::find_if(list.rbegin(), list.rend(),
                              [&](const T& present) { return same(present, entry); });
    if (found == list.rend()) {
      list.push_back(entry);
    } else {
      replace(*found, entry);
    }
  }
}

void Assign(auto& to, const auto& given) { to = given; }

bool SameDevice(const auto& a, const auto& b) { return a.major == b.major && a.minor == b.minor; }

void Merge(Memory& to, const Memory& given) {
  Take(to.limit, given.limit);
  Take(to.reservation, given.reservation);
  Take(to.swap, given.swap);
  Take(to.kernel, given.kernel);
  Take(to.kernel_tcp, given.kernel_tcp);
  Take(to.swappiness, given.swappiness);
  Take(to.disable_oom_killer, given.disable_oom_killer);
  Take(to.use_hierarchy, given.use_hierarchy);
  Take(to.check_before_update, given.check_before_update);
}

void Merge(Cpu& to, const Cpu& given) {
  Take(to.shares, given.shares);
  Take(to.burst, given.burst);
  Take(to.period, given.period);
  Take(to.realtime_period, given.realtime_period);
  Take(to.quota, given.quota);
  Take(to.realtime_runtime, given.realtime_runtime);
  Take(to.idle, given.idle);
  Take(to.cpus, given.cpus);
  Take(to.mems, given.mems);
}

void Merge(BlockIo& to, const BlockIo& given) {
  Take(to.weight, given.weight);
  Take(to.leaf_weight, given.leaf_weight);
  Upsert(to.weight_device, given.weight_device, SameDevice<WeightDevice, WeightDevice>,
         [](WeightDevice& present, const WeightDevice& device) {
           Take(present.weight, device.weight);
           Take(present.leaf_weight, device.leaf_weight);
         });
  for (auto list : {&BlockIo::throttle_read_bps, &BlockIo::throttle_write_bps,
                    &BlockIo::throttle_read_iops, &BlockIo::throttle_write_iops}) {
    Upsert(to.*list, given.*list, SameDevice<ThrottleDevice, ThrottleDevice>,
           Assign<ThrottleDevice, ThrottleDevice>);
  }
}

void Merge(Network& to, const Network& given) {
  Take(to.class_id, given.class_id);
  Upsert(
      to.priorities, given.priorities,
      [](const NetworkPriority& a, const NetworkPriority& b) { return a.name == b.name; },
      Assign<NetworkPriority, NetworkPriority>);
}

template <typename T>
void MergePart(std::optional<T>& to, const std::optional<T>& given) {
  if (!given) return;
  if (!to) to.emplace();
  Merge(*to, *given);
}

}  // namespace

Resources MergeResources(Resources base, const Resources& given) {
  if (!given.devices.empty()) base.devices = given.devices;
  MergePart(base.memory, given.memory);
  MergePart(base.cpu, given.cpu);
  Take(base.pids_limit, given.pids_limit);
  MergePart(base.block_io, given.block_io);
  Upsert(
      base.hugepage_limits, given.hugepage_limits,
      [](const HugepageLimit& a, const HugepageLimit& b) { return a.page_size == b.page_size; },
      Assign<HugepageLimit, HugepageLimit>);
  MergePart(base.network, given.network);
  for (const auto& [name, limits] : given.rdma) {
    Take(base.rdma[name].hca_handles, limits.hca_handles);
    Take(base.rdma[name].hca_objects, limits.hca_objects);
  }
  for (const auto& [file, value] : given.unified) base.unified[file] = value;
  return base;
}

}  // namespace kiste::oci
