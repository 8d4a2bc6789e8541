// SPDX-License-Identifier: Apache-2.0
//
// Device rules as an eBPF program: v2 has no devices controller; the kernel asks the programs of
// type BPF_PROG_TYPE_CGROUP_DEVICE (since Linux 4.15) that are attached to the cgroup and those
// above it.
#pragma once

#include <linux/bpf.h>

#include <vector>

#include "base/result.h"
#include "sys/cgroup/resources.h"

namespace kiste::sys::cgroup::v2 {

// The program that decides as device_rules.h says: 1 is allowed, 0 is denied.
Result<std::vector<bpf_insn>> CompileDeviceRules(const std::vector<DeviceRule>& rules);

}  // namespace kiste::sys::cgroup::v2
