// SPDX-License-Identifier: Apache-2.0
//
// What a trial brings: numbers, findings, and what could not be had.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
};

// Whether a larger number is better: what is per second.
inline bool MoreIsBetter(std::string_view unit) { return unit.ends_with("/s"); }
// How many times worse `number` is than `than`, both above 0: above 1 is worse in the unit's
// direction.
inline double TimesWorse(std::string_view unit, double number, double than) {
  return MoreIsBetter(unit) ? than / number : number / than;
}

}  // namespace kiste::bench
