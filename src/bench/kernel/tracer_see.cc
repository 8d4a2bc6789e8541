// SPDX-License-Identifier: Apache-2.0
//
// What the reading thread makes of an event.
#include "base/strings.h"
#include "bench/kernel/tracer.h"
#include "sys/file.h"

namespace kiste::bench {

namespace {

constexpr uint8_t kInterruptFlags = kInHardInterrupt | kInSoftInterrupt | kInNmi;

uint64_t Read(const TraceEvent& event, const Field& field) {
  return NumberAt(event.data, field.offset, field.size);
}

// A text that lies elsewhere in the event: its place in the lower half, its length in the upper.
std::string ReadText(const TraceEvent& event, const Field& field) {
  auto place = Read(event, field);
  if ((place & 0xffff) > event.data.size()) return {};
  auto text = event.data.substr(place & 0xffff, place >> 16 & 0xffff);
  return std::string(text.substr(0, text.find('\0')));
}

}  // namespace

void Tracer::See(const TraceEvent& event) {
  ++trace_.events;
  if (event.type == marker_.id) {
    // The thread that begins writes first, or the other one says so.
    auto words = event.data.substr(std::min(marker_.field.offset, event.data.size()));
    trace_.own_threads.insert(event.pid);
    if (!words.starts_with("kiste-bench reads")) trace_.own_pid = event.pid;
    return;
  }
  if (event.type == fork_.id) {
    trace_.forks.push_back({event.time, static_cast<int>(Read(event, fork_.field)),
                            static_cast<int>(Read(event, fork_.second))});
    return;
  }
  if (event.type == exec_.id) {
    trace_.execs.push_back({event.time, event.pid, ReadText(event, exec_.field)});
    return;
  }
  if (event.pid != last_pid_ || last_thread_ == nullptr) {
    last_pid_ = event.pid;
    last_thread_ = &trace_.threads[event.pid];
  }
  if (call_.id != 0 && event.type == call_.id) {
    last_thread_->calls[static_cast<int64_t>(Read(event, call_.field))].See(event.time);
  } else if (function_.id != 0 && event.type == function_.id) {
    bool interrupt = (event.flags & kInterruptFlags) != 0;
    last_thread_->functions[interrupt ? 1 : 0][Read(event, function_.field)].See(event.time);
  }
}

uint64_t Tracer::Overruns() const {
  uint64_t lost = 0;
  auto folder = sys::Open(StrCat(folder_, "/per_cpu"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!folder) return lost;
  auto names = sys::ListDirectory(folder->get(), "per_cpu");
  for (const auto& name : names ? *names : std::vector<std::string>()) {
    auto text = sys::ReadFileAt(folder->get(), name + "/stats");
    for (auto line : text ? Split(*text, '\n') : std::vector<std::string_view>()) {
      // "overrun: 12", "commit overrun: 0", "dropped events: 0"
      if (line.find("overrun:") == std::string_view::npos && !line.starts_with("dropped")) continue;
      lost += ParseUint(Trim(line.substr(line.find(':') + 1))).value_or(0);
    }
  }
  return lost;
}

}  // namespace kiste::bench
