// SPDX-License-Identifier: Apache-2.0
//
// What else happened on the machine while a trial ran: processor time that the hypervisor took for
// other guests (steal), and that processes outside of the run took. Each as a share of all
// processors' time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kiste::bench {

// Above one of these a trial counts as disturbed: then a median over rounds moves by about as much
// as the intervals that are reported.
constexpr double kMostStolen = 0.02, kMostOthers = 0.05;

struct Noise {
  double stolen = 0, others = 0;
  bool Disturbs() const { return stolen > kMostStolen || others > kMostOthers; }
};

class NoiseWatch {
 public:
  // Begins to watch. `cgroup` is the run's: what is in it or below is the run's own.
  static Result<NoiseWatch> Begin(const std::string& cgroup);
  // What there was since.
  Result<Noise> End() const;

 private:
  std::string cgroup_;
  int64_t busy_ = 0, stolen_ = 0, all_ = 0;  // clock ticks
  std::optional<double> own_;                // seconds
};

// The line "cpu" of /proc/stat (proc(5)), in clock ticks.
struct ProcessorTime {
  int64_t busy = 0, stolen = 0, all = 0;
};
Result<ProcessorTime> ParseProcessorTime(std::string_view proc_stat);

}  // namespace kiste::bench
