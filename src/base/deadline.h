// SPDX-License-Identifier: Apache-2.0
//
// How long a wait may take. No wait on another process is without one: whoever waits says what it
// waited for when the time is over (ErrorKind::kTimeout).
#pragma once

#include <algorithm>
#include <chrono>
#include <climits>

namespace kiste {

// What a command grants another process by default; --timeout changes it.
constexpr std::chrono::milliseconds kPatience{30'000};

class Deadline {
 public:
  static Deadline In(std::chrono::milliseconds time) { return Deadline(Clock::now() + time); }
  // For waits that the user's own programs end: hooks without a timeout.
  static Deadline Never() { return Deadline(Clock::time_point::max()); }

  bool never() const { return end_ == Clock::time_point::max(); }
  bool Over() const { return !never() && Clock::now() >= end_; }
  // What is left, not below 0.
  std::chrono::milliseconds Left() const {
    if (never()) return std::chrono::milliseconds::max();
    auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now());
    return std::max(left, std::chrono::milliseconds(0));
  }
  // The same for poll(2): -1 waits for ever.
  int PollTime() const {
    if (never()) return -1;
    return static_cast<int>(std::min<std::chrono::milliseconds::rep>(Left().count(), INT_MAX));
  }

 private:
  using Clock = std::chrono::steady_clock;
  explicit Deadline(Clock::time_point end) : end_(end) {}
  Clock::time_point end_;
};

}  // namespace kiste
