// SPDX-License-Identifier: Apache-2.0
// Prints each case as it ends and collects all of them for --json.
#pragma once

#include <string>
#include <vector>

#include "json.h"
#include "measurement.h"
#include "options.h"

namespace kiste::perf {

// A target that was asked for and cannot be measured.
struct Missing {
  std::string target;
  std::string reason;
};

class Report {
 public:
  explicit Report(const Options& options);

  // Host, layout, targets with their versions, and in capitals what is missing.
  void Begin(const std::string& cgroup_layout, const Targets& targets,
             const std::vector<Missing>& missing);
  // Samples of metric number `index` of its measurement.
  void Case(const Metric& metric, size_t index, const Targets& targets, const Samples& samples,
            int rounds);
  void Failures(const Samples& samples);
  void LeftOut(const std::string& what, const std::string& reason);
  bool Clean() const { return clean_; }
  std::string Text() const { return json_.Dump() + "\n"; }

 private:
  const Options& options_;
  Json json_ = Json::EmptyObject();
  Json::Array cases_;
  bool clean_ = true;
};

}  // namespace kiste::perf
