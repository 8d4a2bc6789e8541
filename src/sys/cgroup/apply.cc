// SPDX-License-Identifier: Apache-2.0
//
// Cgroup::Apply: which controller, in which hierarchy, gets which part of the resources.
#include <algorithm>
#include <array>

#include "base/strings.h"
#include "sys/cgroup/cgroup.h"
#include "sys/cgroup/v1/controllers.h"
#include "sys/cgroup/v2/controllers.h"

namespace kiste::sys::cgroup {

namespace {

bool IsSet(const Memory& memory) {
  auto limits = {memory.limit, memory.reservation, memory.swap};
  return std::ranges::any_of(limits, [](auto limit) { return limit.value_or(0) != 0; }) ||
         memory.swappiness.has_value() || memory.disable_oom_killer.value_or(false) ||
         memory.use_hierarchy.value_or(false);
}

bool IsSet(const Cpu& cpu) {
  auto numbers = {cpu.shares, cpu.period, cpu.realtime_period};
  return std::ranges::any_of(numbers, [](auto number) { return number.value_or(0) != 0; }) ||
         cpu.quota.value_or(0) != 0 || cpu.realtime_runtime.value_or(0) != 0 || cpu.burst ||
         cpu.idle;
}

bool IsCpusetSet(const Cpu& cpu) { return !cpu.cpus.empty() || !cpu.mems.empty(); }

bool IsSet(const BlockIo& block_io) {
  return block_io.weight.value_or(0) != 0 || block_io.leaf_weight.value_or(0) != 0 ||
         !block_io.weight_device.empty() || !block_io.throttle_read_bps.empty() ||
         !block_io.throttle_write_bps.empty() || !block_io.throttle_read_iops.empty() ||
         !block_io.throttle_write_iops.empty();
}

// v1 and v2 differ in no other way than where the file is.
Status SetPids(const Directory& directory, int64_t limit) {
  // With 0 nothing could be started with CLONE_INTO_CGROUP; after that, 1 is as good as 0.
  std::string value = limit < 0 ? "max" : StrCat(std::max<int64_t>(limit, 1));
  return directory.Set("pids.limit", "pids.max", value);
}

Status SetRdma(const Directory& directory, const std::map<std::string, Rdma>& devices) {
  std::vector<std::string> lines;
  for (const auto& [name, limits] : devices) {
    TRY(CheckFileName("rdma", name));
    std::string line = name;
    if (limits.hca_handles) line += StrCat(" hca_handle=", *limits.hca_handles);
    if (limits.hca_objects) line += StrCat(" hca_object=", *limits.hca_objects);
    lines.push_back(std::move(line));
  }
  return directory.SetEach("rdma", "rdma.max", lines);
}

// Files that do something to processes or to the tree instead of setting a limit.
constexpr std::array<std::string_view, 6> kNotLimits = {"cgroup.procs", "cgroup.threads",
                                                        "cgroup.kill",  "cgroup.freeze",
                                                        "cgroup.type",  "cgroup.subtree_control"};

Status SetUnified(const Directory& directory, const std::string& file, const std::string& value) {
  std::vector<std::string> lines;
  for (auto line : Split(value, '\n')) {
    if (!line.empty()) lines.emplace_back(line);
  }
  return directory.SetEach(StrCat("unified.", file), file, lines);
}

Status CheckUnified(const std::string& file) {
  TRY(CheckFileName("unified", file));
  bool limit = std::ranges::find(kNotLimits, file) == kNotLimits.end();
  if (limit && file.find('.') != std::string::npos) return {};
  return Invalid(StrCat("unified: ", Quote(file), " is not a file that sets a limit"));
}

}  // namespace

Result<Cgroup::Target> Cgroup::TargetFor(std::string_view controller,
                                         std::string_view field) const {
  if (const Directory* directory = Find(controller)) return Target{directory, false};
  std::string_view name = controller == "blkio" ? "io" : controller;
  if (const Directory* directory = V2()) {
    if (OnlyV2()) return Target{directory, true};
    // hybrid: controllers that v1 left over; enabled only for who needs them.
    bool there = TRY(v2::HasController(*directory, name));
    if (!there) {
      v2::EnableController(*directory, name);
      there = TRY(v2::HasController(*directory, name));
    }
    if (there) return Target{directory, true};
  }
  return Fail(ErrorKind::kUnsupported,
              StrCat(field, " cannot be set on this host: it has no cgroup controller ", name));
}

Status Cgroup::Apply(const Resources& resources) const {
  if (directories_.empty()) {
    return Fail(ErrorKind::kUnsupported, "there is no cgroup to set limits in");
  }
  // First, for rules that make no sense are found before one is written.
  if (!resources.devices.empty()) {
    auto applied = ApplyDevices(resources.devices);
    bool forbidden = Failed(applied, EPERM) || Failed(applied, EACCES);
    if (!applied && !(forbidden && resources.devices_optional)) return applied;
  }
  if (resources.cpu && IsCpusetSet(*resources.cpu)) {
    auto [cpuset, v2] = TRY(TargetFor("cpuset", "cpu.cpus"));
    TRY(v2 ? v2::SetCpuset(*cpuset, *resources.cpu) : v1::SetCpuset(*cpuset, *resources.cpu));
  }
  // That the killer be on, engines ask for always: no reason to fail where there is no controller.
  bool killer =
      resources.memory && resources.memory->disable_oom_killer && Find("memory") != nullptr;
  if (resources.memory && (IsSet(*resources.memory) || killer)) {
    auto [memory, v2] = TRY(TargetFor("memory", "memory"));
    TRY(v2 ? v2::SetMemory(*memory, *resources.memory) : v1::SetMemory(*memory, *resources.memory));
  }
  if (resources.cpu && IsSet(*resources.cpu)) {
    auto [cpu, v2] = TRY(TargetFor("cpu", "cpu"));
    TRY(v2 ? v2::SetCpu(*cpu, *resources.cpu) : v1::SetCpu(*cpu, *resources.cpu));
  }
  // A new cgroup has no limit.
  if (resources.pids_limit && !(*resources.pids_limit < 0 && created_)) {
    auto target = TRY(TargetFor("pids", "pids.limit"));
    TRY(SetPids(*target.directory, *resources.pids_limit));
  }
  if (resources.block_io && IsSet(*resources.block_io)) {
    auto [io, v2] = TRY(TargetFor("blkio", "blockIO"));
    TRY(v2 ? v2::SetIo(*io, *resources.block_io) : v1::SetBlockIo(*io, *resources.block_io));
  }
  return ApplyRest(resources);
}

// v2's controller for devices is a program, which cgroup.controllers does not list.
Status Cgroup::ApplyDevices(const std::vector<DeviceRule>& rules) const {
  if (const Directory* directory = Find("devices")) {
    auto change = TRY(v1::PlanDevices(*directory, rules));
    auto write = [&] { return v1::ChangeDevices(*directory, change); };
    // v1 has no other way to another default than through denying or allowing everything. Who
    // stands still meanwhile misses no device that he keeps, and opens none that he never had.
    return change.everything && !directory->fresh ? WhileFrozen(write) : write();
  }
  if (const Directory* directory = V2()) return v2::SetDevices(*directory, rules);
  return Fail(ErrorKind::kUnsupported,
              "devices cannot be set on this host: it has no cgroup controller devices");
}

Status Cgroup::ApplyNetwork(const Network& network) const {
  if (network.class_id.value_or(0) != 0) {
    auto target = TRY(TargetFor("net_cls", "network.classID"));
    TRY(v1::SetNetClass(*target.directory, network));
  }
  if (!network.priorities.empty()) {
    auto target = TRY(TargetFor("net_prio", "network.priorities"));
    TRY(v1::SetNetPriorities(*target.directory, network));
  }
  return {};
}

Status Cgroup::ApplyRest(const Resources& resources) const {
  if (!resources.hugepage_limits.empty()) {
    auto [hugetlb, v2] = TRY(TargetFor("hugetlb", "hugepageLimits"));
    TRY(v2 ? v2::SetHugetlb(*hugetlb, resources.hugepage_limits)
           : v1::SetHugetlb(*hugetlb, resources.hugepage_limits));
  }
  if (resources.network && !OnlyV2()) TRY(ApplyNetwork(*resources.network));
  if (!resources.rdma.empty()) {
    auto target = TRY(TargetFor("rdma", "rdma"));
    TRY(SetRdma(*target.directory, resources.rdma));
  }
  for (const auto& [file, value] : resources.unified) {
    TRY(CheckUnified(file));
    const Directory* directory = V2();
    if (directory == nullptr) {
      return Fail(ErrorKind::kUnsupported,
                  "unified cannot be set on this host: it has no cgroup v2");
    }
    std::string controller = file.substr(0, file.find('.'));
    bool hybrid = directories_.size() > 1;
    if (hybrid && controller != "cgroup") TRY(TargetFor(controller, "unified." + file));
    TRY(SetUnified(*directory, file, value));
  }
  return {};
}

Status Cgroup::Delegate(uid_t uid) const {
  return OnlyV2() ? v2::Delegate(directories_.front(), uid) : Status();
}

}  // namespace kiste::sys::cgroup
