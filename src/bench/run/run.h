// SPDX-License-Identifier: Apache-2.0
//
// A run: targets by workloads by rounds, in a room, into a record.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "bench/description/target.h"
#include "bench/description/workload.h"

namespace kiste::bench {

struct RunRequest {
  std::string name;     // letters, digits, "-", "_", "."; of the room and in the record
  bool resume = false;  // goes on with the run of that name; all but `load` and `parent` is its own
  std::vector<TargetDescription> targets;
  std::vector<WorkloadDescription> workloads;
  int rounds = 5;
  bool warm_up = true;
  uint64_t seed = 0;
  std::string record;   // the SQLite file
  std::string parent;   // the folder in which the run's folder is made
  std::string load;     // the program inside
  std::string command;  // the command line, for the record
  std::string version;
};

// 0, or 3 when it was interrupted: what was measured is kept. A target or workload that is missing
// here is recorded as such. What fails in a trial is recorded and does not end the run.
Result<int> RunTrials(const RunRequest& request);

// Why `target` cannot take part here; "" when it can.
std::string WhyMissing(const TargetDescription& target);
std::string WhyMissing(const WorkloadDescription& workload);

}  // namespace kiste::bench
