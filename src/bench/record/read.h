// SPDX-License-Identifier: Apache-2.0
//
// A run as it was recorded, as values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "bench/record/database.h"
#include "bench/record/outcome.h"

namespace kiste::bench {

struct RecordedTarget {
  int64_t id = 0;
  std::string name, title, isolation, version;
  bool baseline = false;
  std::optional<std::string> missing;
  std::string description;  // its file's text
};

struct RecordedWorkload {
  int64_t id = 0;
  std::string name, title, axiom, method;
  std::optional<std::string> missing;
  std::string description;
};

struct RecordedTrial {
  int64_t id = 0;
  size_t target = 0, workload = 0;  // indices into the run's
  int round = 0;
  double took = 0;  // ns
  std::string status, why;
  double stolen = 0, others = 0;
  bool disturbed = false;
  Outcome outcome;
};

struct RecordedRun {
  int64_t id = 0;
  std::string name, began, ended, command, version;  // ended "": interrupted, or still runs
  uint64_t seed = 0;
  int rounds = 0;
  bool warm_up = false;  // one has been recorded
  std::vector<std::pair<std::string, std::string>> host;
  std::vector<RecordedTarget> targets;  // in their order
  std::vector<RecordedWorkload> workloads;
  std::vector<RecordedTrial> trials;  // of rounds that count: not the warm-up
};

// The run of that name, or the last one for "". kNotFound names those that there are.
Result<RecordedRun> ReadRun(Database& database, const std::string& name);
Result<std::vector<std::string>> RunNames(Database& database);

}  // namespace kiste::bench
