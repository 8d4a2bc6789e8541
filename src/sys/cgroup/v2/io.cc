// SPDX-License-Identifier: Apache-2.0
#include "base/strings.h"
#include "sys/cgroup/v2/controllers.h"

namespace kiste::sys::cgroup::v2 {

namespace {

std::string Number(const auto& device) { return StrCat(device.major, ":", device.minor, " "); }

// BFQ's own file takes the specification's weights as they are; io.weight has another scale.
Status SetWeights(const Directory& directory, const BlockIo& block_io) {
  std::vector<std::string> bfq, scaled;
  auto add = [&](std::string_view prefix, uint16_t weight) {
    bfq.push_back(StrCat(prefix, weight));
    scaled.push_back(StrCat(prefix, IoWeightFromBlkio(weight)));
  };
  if (block_io.weight.value_or(0) != 0) add("", *block_io.weight);
  for (const auto& device : block_io.weight_device) {
    if (device.weight.value_or(0) != 0) add(Number(device), *device.weight);
  }
  auto set = directory.WriteEach("io.bfq.weight", bfq);
  if (set || !IsMissing(set.error())) return set;
  return directory.SetEach("blockIO.weight", "io.weight", scaled);
}

void AddLimits(std::vector<std::string>& lines, std::string_view key,
               const std::vector<ThrottleDevice>& devices) {
  for (const auto& device : devices) {
    lines.push_back(
        StrCat(Number(device), key, "=", device.rate == 0 ? "max" : StrCat(device.rate)));
  }
}

}  // namespace

uint64_t IoWeightFromBlkio(uint16_t weight) {
  if (weight <= 10) return 1;
  return 1 + (static_cast<uint64_t>(weight) - 10) * 9999 / 990;
}

Status SetIo(const Directory& directory, const BlockIo& block_io) {
  TRY(SetWeights(directory, block_io));
  std::vector<std::string> lines;
  AddLimits(lines, "rbps", block_io.throttle_read_bps);
  AddLimits(lines, "wbps", block_io.throttle_write_bps);
  AddLimits(lines, "riops", block_io.throttle_read_iops);
  AddLimits(lines, "wiops", block_io.throttle_write_iops);
  return directory.SetEach("blockIO.throttle", "io.max", lines);
}

}  // namespace kiste::sys::cgroup::v2
