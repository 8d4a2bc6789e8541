// SPDX-License-Identifier: Apache-2.0
//
// Writing a run into the record, trial by trial: what was measured stays, whatever happens next.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "bench/record/database.h"
#include "bench/record/outcome.h"

namespace kiste::bench {

struct NewRun {
  std::string name, command, version;
  uint64_t seed = 0;
  int rounds = 0;
};

struct NewTarget {
  int ordinal = 0;
  std::string name, title, isolation, version;
  bool baseline = false;
  std::optional<std::string> missing;
  std::string description;
};

struct NewWorkload {
  int ordinal = 0;
  std::string name, title, axiom, method;
  std::optional<std::string> missing;
  std::string description;
};

struct NewTrial {
  int64_t target = 0, workload = 0;
  int round = 0, ordinal = 0;
  std::string began;
  std::chrono::nanoseconds took{};
  std::string status;  // ok, failed, cannot
  std::string why;
  double stolen = 0, others = 0;
  bool disturbed = false;
};

class Writer {
 public:
  // Opens or makes the file.
  static Result<Writer> Open(const std::string& path);

  // kExists when there is a run of that name.
  Status BeginRun(const NewRun& run);
  // Goes on with the run of that name. kNotFound.
  Status Resume(const std::string& name);
  Status AddHost(std::string_view key, std::string_view value);
  // The row's id; a resumed run's row of that name is kept as it was.
  Result<int64_t> AddTarget(const NewTarget& target);
  Result<int64_t> AddWorkload(const NewWorkload& workload);
  // Whether this trial has been recorded.
  Result<bool> Has(int64_t target, int64_t workload, int round);
  // All or nothing.
  Status AddTrial(const NewTrial& trial, const Outcome& outcome);
  Status EndRun();
  int64_t run() const { return run_; }

 private:
  explicit Writer(Database database) : database_(std::move(database)) {}
  Status AddOutcome(int64_t trial, const Outcome& outcome);

  Database database_;
  int64_t run_ = 0;
};

}  // namespace kiste::bench
