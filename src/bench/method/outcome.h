// SPDX-License-Identifier: Apache-2.0
//
// What a trial brings: numbers, findings, and what could not be had.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bench/description/workload.h"

namespace kiste::bench {

// What a number is a function of.
struct At {
  std::string name;
  double x = 0;
};

struct Sample {
  std::string metric, unit;
  std::optional<At> at;
  double number = 0;
};

struct Finding {
  std::string probe, verdict, words;
};

struct Gap {
  std::string metric, why;
};

struct Outcome {
  std::vector<Sample> samples;
  std::vector<Finding> findings;
  std::vector<Gap> gaps;

  void Add(std::string metric, std::string unit, double number) {
    samples.push_back({std::move(metric), std::move(unit), std::nullopt, number});
  }
  void AddAt(At at, std::string metric, std::string unit, double number) {
    samples.push_back({std::move(metric), std::move(unit), std::move(at), number});
  }
  // Takes the other's over, with `prefix` in front of its metrics.
  void Append(const Outcome& other, std::string_view prefix = {});
};

// Whether a larger number is better: what is per second.
inline bool MoreIsBetter(std::string_view unit) { return unit.ends_with("/s"); }

// What `load` wrote (docs/bench.md). kInvalid names a line that is none of its own, and a missing
// last line.
Result<Outcome> ReadLoadOutput(std::string_view text);
// What another program wrote, by patterns. Each must be found; kInvalid names the one that is not.
Result<Outcome> ReadByPatterns(std::string_view text, const std::vector<OutputPattern>& patterns);

// The median of each metric's samples without x, in the order of their first.
std::vector<Sample> Medians(const std::vector<Sample>& samples);

}  // namespace kiste::bench
