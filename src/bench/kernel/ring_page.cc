// SPDX-License-Identifier: Apache-2.0
#include "bench/kernel/ring_page.h"

#include <cstring>

namespace kiste::bench {

namespace {

// `type_len` of struct ring_buffer_event.
constexpr uint32_t kMostWords = 28, kPadding = 29, kTimeExtend = 30, kTimeStamp = 31;
constexpr unsigned kTimeBits = 27, kStampBits = 59;
constexpr uint64_t kMissed = uint64_t{1} << 31, kCommitMask = (uint64_t{1} << 20) - 1;
constexpr size_t kPageHeader = 16, kEventFields = 8;

TraceEvent Entry(uint64_t time, std::string_view data) {
  return {.time = time,
          .type = static_cast<uint16_t>(NumberAt(data, 0, 2)),
          .flags = static_cast<uint8_t>(NumberAt(data, 2, 1)),
          .pid = static_cast<int32_t>(NumberAt(data, 4, 4)),
          .data = data};
}

}  // namespace

uint64_t NumberAt(std::string_view data, size_t offset, size_t size) {
  uint64_t number = 0;
  if (size > sizeof number || offset + size > data.size()) return 0;
  memcpy(&number, data.data() + offset, size);
  return number;
}

bool ReadRingPage(std::string_view page, const std::function<void(const TraceEvent&)>& see) {
  uint64_t time = NumberAt(page, 0, 8), commit = NumberAt(page, 8, 8);
  if (page.size() < kPageHeader) return false;
  auto rest = page.substr(kPageHeader, commit & kCommitMask);
  while (rest.size() >= 4) {
    auto head = static_cast<uint32_t>(NumberAt(rest, 0, 4));
    auto word = NumberAt(rest, 4, 4);
    uint32_t length = head & 0x1f;
    uint64_t delta = head >> 5;
    size_t begin = 4, end = 0;
    if (length == kTimeExtend) {
      time += delta + (word << kTimeBits);
      end = 8;
    } else if (length == kTimeStamp) {
      time = (time >> kStampBits << kStampBits) | (delta + (word << kTimeBits));
      end = 8;
    } else if (length == kPadding) {
      if (delta == 0) break;
      end = 4 + word;
    } else {
      time += delta;
      begin = length == 0 ? 8 : 4;
      end = length == 0 ? 4 + word : 4 + size_t{length} * 4;
    }
    if (end < 4 || end > rest.size()) break;
    if (length <= kMostWords && end >= begin + kEventFields)
      see(Entry(time, rest.substr(begin, end - begin)));
    rest.remove_prefix(end);
  }
  return (commit & kMissed) != 0;
}

}  // namespace kiste::bench
