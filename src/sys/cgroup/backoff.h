// SPDX-License-Identifier: Apache-2.0
//
// Sleeps of growing length until a deadline: for what the kernel finishes soon without telling when
// (an exiting process leaves its cgroup, the v1 freezer stops the last one).
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace kiste::sys::cgroup {

class Backoff {
 public:
  explicit Backoff(std::chrono::milliseconds limit) : deadline_(Clock::now() + limit) {}

  // Sleeps: 100 µs, 200 µs, … 10 ms. False, at once, when the deadline has passed.
  bool Wait() {
    if (Clock::now() >= deadline_) return false;
    std::this_thread::sleep_for(pause_);
    pause_ = std::min(pause_ * 2, std::chrono::microseconds(10'000));
    return true;
  }

  std::chrono::milliseconds Left() const {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
    return std::max(left, std::chrono::milliseconds(0));
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point deadline_;
  std::chrono::microseconds pause_{100};
};

}  // namespace kiste::sys::cgroup
