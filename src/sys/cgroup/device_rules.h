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
#include <optional>
#include <string>
#include <string_view>
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

// How one list becomes another in v1's files, devices.allow and devices.deny.
struct DeviceChange {
  // First everything is allowed or denied and every exception forgotten: the one way to another
  // default. The kernel refuses it (EINVAL) while there are cgroups below.
  std::optional<bool> everything;
  std::vector<std::string> allow, deny;  // then these lines, in this order
};

// The rule's access as bits. kInvalid for other letters, an unknown type, or numbers that no device
// has.
Result<uint8_t> CheckDeviceRule(const DeviceRule& rule);

// What the rules come to, without what later rules make void. kUnsupported when v1 cannot say it: a
// rule takes back a part of what an earlier one with a wildcard gave.
Result<DeviceList> FoldDeviceRules(const std::vector<DeviceRule>& rules);

// The text of devices.list. It does not tell the exceptions from "everything is allowed".
Result<DeviceList> ParseDeviceList(std::string_view text);

// What makes `now` `wanted`. Between two lists of what is allowed the additions come before what is
// taken back, so that nothing that both allow is denied meanwhile, nor allowed what neither does.
DeviceChange ChangeDeviceList(const DeviceList& now, const DeviceList& wanted);

}  // namespace kiste::sys::cgroup
