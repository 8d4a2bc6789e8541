// SPDX-License-Identifier: Apache-2.0
//
// A page of the kernel's trace buffer as per_cpu/cpuN/trace_pipe_raw gives it
// (include/linux/ring_buffer.h, events/header_event): events with their times. Little endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace kiste::bench {

// What every event begins with (struct trace_entry).
struct TraceEvent {
  uint64_t time = 0;  // of the trace clock
  uint16_t type = 0;
  uint8_t flags = 0;
  int32_t pid = 0;        // of the thread, as the first pid namespace has it
  std::string_view data;  // all of it, with these fields
};

// Flags of an event (enum trace_flag_type).
constexpr uint8_t kInHardInterrupt = 0x08, kInSoftInterrupt = 0x10, kInNmi = 0x40;

// Calls `see` for each event; true when the kernel says that events before this page were lost.
// What cannot be understood ends the page.
bool ReadRingPage(std::string_view page, const std::function<void(const TraceEvent&)>& see);

// A number of `size` bytes (1 to 8) at `offset`; 0 when it is not there.
uint64_t NumberAt(std::string_view data, size_t offset, size_t size);

}  // namespace kiste::bench
