// SPDX-License-Identifier: Apache-2.0
//
// What a run says: per workload, metric and target a median over rounds with its interval, and the
// ratio to the baseline. Everything that is shown is made from these values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/record/read.h"
#include "bench/statistics/statistics.h"

namespace kiste::bench {

struct Estimate {
  double median = 0;
  Interval interval;
};

// One metric (at one x) on one target.
struct Cell {
  std::map<int, double> rounds;  // round -> median of its samples
  Estimate value;
  std::optional<Estimate> ratio;  // to the baseline, by rounds that both have; not of the baseline
  size_t samples = 0;
  int outliers = 0;   // rounds beyond the fences
  int disturbed = 0;  // rounds whose trial was
};

struct Figure {
  size_t workload = 0;
  std::string metric, unit;
  std::optional<At> at;
  std::map<size_t, Cell> cells;  // by target
};

// In the order in which metrics first came; those of one metric by x.
std::vector<Figure> MakeFigures(const RecordedRun& run);
// The same with nothing but the rounds in the cells: for who estimates himself.
std::vector<Figure> CollectFigures(const RecordedRun& run);

// The figures of a workload that are shown at first sight: all, or where there are many metrics the
// summaries, whose names have the fewest parts.
std::vector<const Figure*> FirstSight(const std::vector<Figure>& figures, size_t workload);

// The index of the target that ratios are to.
size_t Baseline(const RecordedRun& run);

// The query that gives a figure's samples, for whoever wants to check it.
std::string QueryOf(const RecordedRun& run, const Figure& figure);

// Findings of the last round that has any, by probe and target.
struct ProbeRow {
  size_t workload = 0;
  std::string probe;
  std::map<size_t, Finding> by_target;
};
std::vector<ProbeRow> MakeProbeRows(const RecordedRun& run);

// What is not in the figures, and why: missing targets and workloads, trials that failed, metrics
// that could not be had. Each once.
struct Missing {
  std::string target, workload, metric, why;
  int times = 1;
};
std::vector<Missing> MakeMissing(const RecordedRun& run);

// "1.53 ms", "2.1 GiB/s", "1,204 /s", "118 KiB", "7", "1.04"
std::string Show(double number, std::string_view unit);

}  // namespace kiste::bench
