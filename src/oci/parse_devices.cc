// SPDX-License-Identifier: Apache-2.0
//
// config-linux.md, "Devices" and "Allowed Device list".
#include <algorithm>

#include "base/strings.h"
#include "oci/fields.h"
#include "oci/readers.h"

namespace kiste::oci {

using json::Value;

namespace {

// The kernel's dev_t has 12 bits for the major number and 20 for the minor; mknod(2) would cut
// larger ones and make another device.
constexpr int64_t kMajorMax = 0xfff, kMinorMax = 0xfffff;
constexpr uint32_t kModeBits = 07777;

constexpr NameTable<char, 4> kDeviceTypes = {{{"c", 'c'}, {"b", 'b'}, {"u", 'c'}, {"p", 'p'}}};
constexpr NameTable<char, 3> kRuleTypes = {{{"a", 'a'}, {"c", 'c'}, {"b", 'b'}}};

// Absent and -1 stand for every number.
Result<int64_t> ReadRuleNumber(const Value& value, int64_t most) {
  if (!value) return -1;
  return IntBetween(value, -1, most);
}

Result<std::string> ReadAccess(const Value& value) {
  if (!value) return std::string("rwm");
  std::string access = TRY(value.String());
  if (access.empty() || access.find_first_not_of("rwm") != std::string::npos) {
    return value.Expected("letters of \"rwm\"");
  }
  return access;
}

}  // namespace

Result<Device> ReadDevice(const Value& value) {
  TRY(value.ExpectObject());
  Device device;
  device.path = TRY(AbsolutePath(value["path"]));
  device.type = TRY(Named(value["type"], kDeviceTypes));
  if (device.type != 'p') {
    device.major = TRY(IntBetween(value["major"], 0, kMajorMax));
    device.minor = TRY(IntBetween(value["minor"], 0, kMinorMax));
  }
  // Some engines hand over st_mode with the type's bits in it.
  if (auto mode = TRY(OptionalUint32(value["fileMode"]))) device.file_mode = *mode & kModeBits;
  if (Value uid = value["uid"]) device.uid = TRY(Id(uid));
  if (Value gid = value["gid"]) device.gid = TRY(Id(gid));
  return device;
}

Result<DeviceRule> ReadDeviceRule(const Value& value) {
  TRY(value.ExpectObject());
  DeviceRule rule;
  rule.allow = TRY(value["allow"].BoolOr(false));
  if (Value type = value["type"]; type && TRY(type.String()) != "") {
    rule.type = TRY(Named(type, kRuleTypes));
  }
  rule.major = TRY(ReadRuleNumber(value["major"], kMajorMax));
  rule.minor = TRY(ReadRuleNumber(value["minor"], kMinorMax));
  rule.access = TRY(ReadAccess(value["access"]));
  return rule;
}

}  // namespace kiste::oci
