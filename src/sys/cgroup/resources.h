// SPDX-License-Identifier: Apache-2.0
//
// The limits of a cgroup as values: what Cgroup::Apply is told. The fields and their units are
// those of the OCI runtime specification (config-linux.md, "Control groups"), because they name
// what the kernel's files can hold; the runtime copies them over from its parsed configuration.
//
// An absent value leaves the kernel's file alone. So does 0 wherever 0 cannot be a limit (memory
// and swap limits, cpu shares, quota and periods, weights): callers write 0 there for "not set".
//
// What v1 had and v2 has not is passed over there, as runc does (Cgroup::PassedOver names it), and
// so are the limits on kernel memory, which the kernel gave up.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace kiste::sys::cgroup {

struct DeviceRule {  // -1 is the wildcard; later rules win; what no rule allows is denied
  bool allow = false;
  char type = 'a';  // a (both), b, c
  int64_t major = -1, minor = -1;
  std::string access = "rwm";
};

struct Memory {
  std::optional<int64_t> limit, reservation, swap;  // bytes; -1 unlimited
  std::optional<int64_t> kernel, kernel_tcp;        // never set
  std::optional<uint64_t> swappiness;
  std::optional<bool> disable_oom_killer, use_hierarchy, check_before_update;
};

struct Cpu {
  std::optional<uint64_t> shares, burst, period, realtime_period;  // µs but for shares
  std::optional<int64_t> quota, realtime_runtime, idle;            // quota -1: unlimited
  std::string cpus, mems;                                          // lists: "0-3,7"
};

struct WeightDevice {
  int64_t major = 0, minor = 0;
  std::optional<uint16_t> weight, leaf_weight;
};

struct ThrottleDevice {
  int64_t major = 0, minor = 0;
  uint64_t rate = 0;  // bytes or operations per second; 0 takes the limit away
};

struct BlockIo {
  std::optional<uint16_t> weight, leaf_weight;  // 10 to 1000
  std::vector<WeightDevice> weight_device;
  std::vector<ThrottleDevice> throttle_read_bps, throttle_write_bps, throttle_read_iops,
      throttle_write_iops;
};

struct HugepageLimit {
  std::string page_size;  // "2MB", as in the kernel's file names
  uint64_t limit = 0;     // bytes
};

struct NetworkPriority {
  std::string name;
  uint32_t priority = 0;
};

struct Network {
  std::optional<uint32_t> class_id;
  std::vector<NetworkPriority> priorities;
};

struct Rdma {
  std::optional<uint32_t> hca_handles, hca_objects;
};

struct Resources {
  std::vector<DeviceRule> devices;
  // No failure if this process may not limit devices: nobody may in a user namespace, and whoever
  // is there can use no device that he could not use before.
  bool devices_optional = false;
  std::optional<Memory> memory;
  std::optional<Cpu> cpu;
  std::optional<int64_t> pids_limit;  // < 0 unlimited; 0 is a limit: nothing more may be forked
  std::optional<BlockIo> block_io;
  std::vector<HugepageLimit> hugepage_limits;
  std::optional<Network> network;
  std::map<std::string, Rdma> rdma;
  std::map<std::string, std::string> unified;  // v2 file name -> lines to write
};

}  // namespace kiste::sys::cgroup
