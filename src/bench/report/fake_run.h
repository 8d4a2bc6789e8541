// SPDX-License-Identifier: Apache-2.0
//
// Runs that nobody measured, for tests.
#pragma once

#include <string>

#include "bench/record/read.h"

namespace kiste::bench {

inline RecordedRun FakeRun(const std::vector<std::string>& targets,
                           const std::vector<std::string>& workloads) {
  RecordedRun run;
  run.id = 1;
  run.name = "fake";
  run.began = "2026-01-01T00:00:00.000Z";
  run.ended = run.began;
  run.command = "kiste-bench run";
  int64_t id = 1;
  for (const auto& name : targets) {
    run.targets.push_back({.id = id++, .name = name, .title = name, .isolation = "none"});
    run.targets.back().baseline = run.targets.size() == 1;
  }
  for (const auto& name : workloads)
    run.workloads.push_back({.id = id++, .name = name, .title = name, .axiom = "performance"});
  return run;
}

// A trial that went well, to which outcomes are added.
inline Outcome& AddTrial(RecordedRun& run, size_t target, size_t workload, int round) {
  run.trials.push_back({.id = static_cast<int64_t>(run.trials.size()) + 1,
                        .target = target,
                        .workload = workload,
                        .round = round,
                        .status = "ok"});
  run.rounds = std::max(run.rounds, round);
  return run.trials.back().outcome;
}

}  // namespace kiste::bench
