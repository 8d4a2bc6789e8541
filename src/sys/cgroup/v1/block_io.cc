// SPDX-License-Identifier: Apache-2.0
#include "base/strings.h"
#include "sys/cgroup/v1/controllers.h"

namespace kiste::sys::cgroup::v1 {

namespace {

// Weights were CFQ's until Linux 5.0 (blkio.weight) and are BFQ's since (blkio.bfq.weight).
Status SetWeights(const Directory& directory, std::string_view field, std::string_view file,
                  const std::vector<std::string>& values) {
  auto set = directory.WriteEach(StrCat("blkio.bfq.", file), values);
  if (set || !IsMissing(set.error())) return set;
  return directory.SetEach(field, StrCat("blkio.", file), values);
}

Status SetThrottle(const Directory& directory, std::string_view field, std::string_view file,
                   const std::vector<ThrottleDevice>& devices) {
  std::vector<std::string> lines;
  lines.reserve(devices.size());
  for (const auto& device : devices) {
    lines.push_back(StrCat(device.major, ":", device.minor, " ", device.rate));
  }
  return directory.SetEach(field, StrCat("blkio.throttle.", file), lines);
}

}  // namespace

Status SetBlockIo(const Directory& directory, const BlockIo& block_io) {
  if (block_io.weight.value_or(0) != 0) {
    TRY(SetWeights(directory, "blockIO.weight", "weight", {StrCat(*block_io.weight)}));
  }
  if (block_io.leaf_weight.value_or(0) != 0) {
    TRY(directory.Set("blockIO.leafWeight", "blkio.leaf_weight", StrCat(*block_io.leaf_weight)));
  }
  std::vector<std::string> weights, leaf_weights;
  for (const auto& device : block_io.weight_device) {
    std::string number = StrCat(device.major, ":", device.minor, " ");
    if (device.weight.value_or(0) != 0) weights.push_back(number + StrCat(*device.weight));
    if (device.leaf_weight.value_or(0) != 0) {
      leaf_weights.push_back(number + StrCat(*device.leaf_weight));
    }
  }
  TRY(SetWeights(directory, "blockIO.weightDevice", "weight_device", weights));
  TRY(directory.SetEach("blockIO.weightDevice.leafWeight", "blkio.leaf_weight_device",
                        leaf_weights));
  TRY(SetThrottle(directory, "blockIO.throttleReadBpsDevice", "read_bps_device",
                  block_io.throttle_read_bps));
  TRY(SetThrottle(directory, "blockIO.throttleWriteBpsDevice", "write_bps_device",
                  block_io.throttle_write_bps));
  TRY(SetThrottle(directory, "blockIO.throttleReadIOPSDevice", "read_iops_device",
                  block_io.throttle_read_iops));
  return SetThrottle(directory, "blockIO.throttleWriteIOPSDevice", "write_iops_device",
                     block_io.throttle_write_iops);
}

}  // namespace kiste::sys::cgroup::v1
