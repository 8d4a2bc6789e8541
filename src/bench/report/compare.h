// SPDX-License-Identifier: Apache-2.0
//
// Which differences are real. Every metric that both sides have is one test; together they are a
// family, whose p-values are corrected by Holm: of comparisons of a thing with itself at most one
// in a hundred says that anything differs, however many metrics there are. A metric that is a
// function (of a size, a number of instances) is one test, too: the geometric mean over x.
//
// Two targets of one run are compared by rounds: both were measured close together, and what
// drifts drops out (signed ranks). Two runs are compared by target: as ratios to the baseline where
// both have it, for the same reason, and then without the baseline itself (Mann and Whitney). What
// differs between them by less than one in a hundred is none: two runs differ by that in where
// things lie in memory. A metric with too few rounds for any answer is said to be so and is no
// member of the family.
//
// What probes found is no matter of chance: every verdict that is another one is a difference.
#pragma once

#include <string>
#include <vector>

#include "bench/report/figures.h"

namespace kiste::bench {

constexpr double kAlpha = 0.01;
constexpr double kTolerance = 0.01;  // of two runs

enum class Verdict {
  kSame,    // no difference was found
  kBetter,  // the second is
  kWorse,
  kTooFew,  // with so few rounds none could be found
};

struct Difference {
  std::string workload, target, metric, unit;  // target: of two runs only
  size_t rounds = 0;                           // of the side that has fewer
  Estimate ratio;                              // second by first
  double p = 1, corrected = 1;
  Verdict verdict = Verdict::kSame;
};

// A probe that both sides have and that found something else.
struct ChangedFinding {
  std::string workload, target, probe;  // target: of two runs only
  std::string first, second;            // verdicts
};

struct Comparison {
  std::string first, second;
  std::vector<Difference> differences;
  std::vector<ChangedFinding> findings;
  size_t probes = 0;  // that both have
  int needed = 0;     // rounds with which something could be found; 0 where there are enough
  bool any() const;
  size_t undecided() const;  // metrics with too few rounds
  bool decided() const;      // at least one metric; of probes alone, one of them
};

// Forgets what was measured by other workloads, so that the family is smaller and fewer rounds
// decide. kNotFound names a workload that the run does not have.
Status KeepWorkloads(RecordedRun& run, const std::vector<std::string>& names);
// kNotFound names a target that the run does not have.
Result<Comparison> CompareTargets(const RecordedRun& run, const std::string& first,
                                  const std::string& second);
Comparison CompareRuns(const RecordedRun& first, const RecordedRun& second);

std::string TerminalComparison(const Comparison& comparison);
std::string JsonComparison(const Comparison& comparison);

}  // namespace kiste::bench
