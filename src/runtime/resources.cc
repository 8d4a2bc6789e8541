// SPDX-License-Identifier: Apache-2.0
//
// linux.resources as the cgroup floor takes them (it may not know the specification's types), with
// the devices that every container gets (config-linux.md, "Default Devices").
#include "base/strings.h"
#include "runtime/plan.h"

namespace kiste::runtime {

namespace {

namespace cg = sys::cgroup;

// What stands behind the caller's list, so that it cannot take these away; the same as in runc:
// nodes of any kind may be made, the harmless ones be used.
const cg::DeviceRule kDefaultRules[] = {
    {true, 'c', -1, -1, "m"}, {true, 'b', -1, -1, "m"}, {true, 'c', 1, 3, "rwm"},
    {true, 'c', 1, 8, "rwm"}, {true, 'c', 1, 7, "rwm"}, {true, 'c', 5, 0, "rwm"},
    {true, 'c', 1, 5, "rwm"}, {true, 'c', 1, 9, "rwm"}, {true, 'c', 136, -1, "rwm"},
    {true, 'c', 5, 2, "rwm"},
};

template <typename To, typename From>
std::vector<To> Throttles(const std::vector<From>& from) {
  std::vector<To> to;
  for (const auto& device : from) to.push_back({device.major, device.minor, device.rate});
  return to;
}

cg::BlockIo CopyBlockIo(const oci::BlockIo& from) {
  cg::BlockIo to;
  to.weight = from.weight;
  to.leaf_weight = from.leaf_weight;
  for (const auto& device : from.weight_device) {
    to.weight_device.push_back({device.major, device.minor, device.weight, device.leaf_weight});
  }
  to.throttle_read_bps = Throttles<cg::ThrottleDevice>(from.throttle_read_bps);
  to.throttle_write_bps = Throttles<cg::ThrottleDevice>(from.throttle_write_bps);
  to.throttle_read_iops = Throttles<cg::ThrottleDevice>(from.throttle_read_iops);
  to.throttle_write_iops = Throttles<cg::ThrottleDevice>(from.throttle_write_iops);
  return to;
}

cg::Memory CopyMemory(const oci::Memory& from) {
  return {.limit = from.limit,
          .reservation = from.reservation,
          .swap = from.swap,
          .kernel = from.kernel,
          .kernel_tcp = from.kernel_tcp,
          .swappiness = from.swappiness,
          .disable_oom_killer = from.disable_oom_killer,
          .use_hierarchy = from.use_hierarchy,
          .check_before_update = from.check_before_update};
}

cg::Cpu CopyCpu(const oci::Cpu& from) {
  return {.shares = from.shares,
          .burst = from.burst,
          .period = from.period,
          .realtime_period = from.realtime_period,
          .quota = from.quota,
          .realtime_runtime = from.realtime_runtime,
          .idle = from.idle,
          .cpus = from.cpus,
          .mems = from.mems};
}

std::vector<cg::DeviceRule> DeviceRules(const oci::Resources& from) {
  std::vector<cg::DeviceRule> rules{{.allow = false}};  // nothing, before the lists
  for (const auto& rule : from.devices) {
    rules.push_back({rule.allow, rule.type, rule.major, rule.minor, rule.access});
  }
  rules.insert(rules.end(), std::begin(kDefaultRules), std::end(kDefaultRules));
  return rules;
}

}  // namespace

cg::Resources CgroupResources(const oci::Resources& from) {
  cg::Resources to;
  to.devices = DeviceRules(from);
  if (from.memory) to.memory = CopyMemory(*from.memory);
  if (from.cpu) to.cpu = CopyCpu(*from.cpu);
  to.pids_limit = from.pids_limit;
  if (from.block_io) to.block_io = CopyBlockIo(*from.block_io);
  for (const auto& limit : from.hugepage_limits)
    to.hugepage_limits.push_back({limit.page_size, limit.limit});
  if (from.network) {
    to.network.emplace();
    to.network->class_id = from.network->class_id;
    for (const auto& entry : from.network->priorities)
      to.network->priorities.push_back({entry.name, entry.priority});
  }
  for (const auto& [name, limits] : from.rdma)
    to.rdma[name] = {limits.hca_handles, limits.hca_objects};
  to.unified = from.unified;
  return to;
}

void WarnOfPassedOver(const cg::Cgroup& cgroup, const cg::Resources& resources, const Warn& warn) {
  auto fields = cgroup.PassedOver(resources);
  if (fields.empty()) return;
  warn(StrCat("linux.resources: ", Join(fields, ", "),
              ": this host's cgroups have no such setting: left out"));
}

}  // namespace kiste::runtime
