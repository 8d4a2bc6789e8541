// SPDX-License-Identifier: Apache-2.0
//
// config-linux.md, "Block IO".
#include <limits>

#include "oci/fields.h"
#include "oci/readers.h"

namespace kiste::oci {

using json::Value;

namespace {

// 10 to 1000; 0 is how engines write "not set".
Result<std::optional<uint16_t>> ReadWeight(const Value& value) {
  constexpr int64_t kLowest = 10, kHighest = 1000;
  if (!value) return std::nullopt;
  auto weight = value.Int();
  if (!weight || (*weight != 0 && (*weight < kLowest || *weight > kHighest))) {
    return value.Expected("0 or a whole number from 10 to 1000");
  }
  return static_cast<uint16_t>(*weight);
}

Status ReadNumbers(const Value& value, int64_t& major, int64_t& minor) {
  TRY(value.ExpectObject());
  major = TRY(IntBetween(value["major"], 0, std::numeric_limits<int64_t>::max()));
  minor = TRY(IntBetween(value["minor"], 0, std::numeric_limits<int64_t>::max()));
  return {};
}

Result<WeightDevice> ReadWeightDevice(const Value& value) {
  WeightDevice device;
  TRY(ReadNumbers(value, device.major, device.minor));
  device.weight = TRY(ReadWeight(value["weight"]));
  device.leaf_weight = TRY(ReadWeight(value["leafWeight"]));
  if (!device.weight && !device.leaf_weight) return value.Expected("weight or leafWeight");
  return device;
}

Result<ThrottleDevice> ReadThrottleDevice(const Value& value) {
  ThrottleDevice device;
  TRY(ReadNumbers(value, device.major, device.minor));
  device.rate = TRY(value["rate"].Uint());
  return device;
}

}  // namespace

Result<BlockIo> ReadBlockIo(const Value& value) {
  TRY(value.ExpectObject());
  BlockIo io;
  io.weight = TRY(ReadWeight(value["weight"]));
  io.leaf_weight = TRY(ReadWeight(value["leafWeight"]));
  io.weight_device = TRY(ListOf(value["weightDevice"], ReadWeightDevice));
  io.throttle_read_bps = TRY(ListOf(value["throttleReadBpsDevice"], ReadThrottleDevice));
  io.throttle_write_bps = TRY(ListOf(value["throttleWriteBpsDevice"], ReadThrottleDevice));
  io.throttle_read_iops = TRY(ListOf(value["throttleReadIOPSDevice"], ReadThrottleDevice));
  io.throttle_write_iops = TRY(ListOf(value["throttleWriteIOPSDevice"], ReadThrottleDevice));
  return io;
}

}  // namespace kiste::oci
