// SPDX-License-Identifier: Apache-2.0
//
// The meaning of a list of device rules, for both ways to enforce it: v1's files and v2's program.
//
// Rules apply in order: for each of the accesses r, w and m the last rule that names the device and
// the access decides; what no rule names is denied. v2's program says exactly that. v1 has less to
// say it with: one default for all, and a list of exceptions from it (kernel:
// security/device_cgroup.c).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "sys/cgroup/resources.h"

namespace kiste::sys::cgroup {

// Bits of an access, with the values that the kernel's BPF_DEVCG_ACC_* have.
constexpr uint8_t kDeviceMknod = 1, kDeviceRead = 2, kDeviceWrite = 4, kDeviceAll = 7;

struct DeviceException {
  char type = 'c';  // c or b
  int64_t major = -1, minor = -1;
  uint8_t access = 0;

  std::string Text() const;  // "c 1:* rw", as devices.allow takes it
  bool operator==(const DeviceException&) const = default;
};

struct DeviceList {
  bool allow = false;  // what is not an exception
  std::vector<DeviceException> exceptions;
};

// The rule's access as bits. kInvalid for other letters, an unknown type, or numbers that no device
// has.
Result<uint8_t> CheckDeviceRule(const DeviceRule& rule);

// What the rules come to, without what later rules make void. kUnsupported when v1 cannot say it: a
// rule takes back a part of what an earlier one with a wildcard gave.
Result<DeviceList> FoldDeviceRules(const std::vector<DeviceRule>& rules);

}  // namespace kiste::sys::cgroup
