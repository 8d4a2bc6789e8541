// SPDX-License-Identifier: Apache-2.0
//
// How far a run is, on standard error: a bar with percentage and time left on a terminal, else a
// line for each trial.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace kiste::bench {

class Progress {
 public:
  explicit Progress(size_t trials);
  // A trial begins.
  void Begin(const std::string& target, const std::string& workload, int round);
  void End(std::chrono::nanoseconds took, const std::string& status, const std::string& why);
  // Trials that are not measured, because they are recorded.
  void Skip() { ++done_; }
  // Ends the bar's line.
  void Close();

 private:
  std::string TimeLeft() const;

  size_t trials_, done_ = 0;
  bool terminal_;
  std::chrono::nanoseconds spent_{};
  size_t measured_ = 0;
  std::string what_;
};

// "1:02:03", "3:20"
std::string ClockText(std::chrono::seconds time);

}  // namespace kiste::bench
