// SPDX-License-Identifier: Apache-2.0
// The command line of runtime-bench.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "measurement.h"
#include "private_mounts.h"
#include "result.h"

namespace kiste::perf {

struct Options {
  std::vector<std::string> targets = {"kiste", "crun", "runc", "floor", "bwrap"};
  std::vector<std::string> cases;  // empty: all
  Schedule schedule;
  std::string base = "crun";
  std::string json;  // empty: none
  std::string seccomp_profile = "/usr/share/containers/seccomp.json";
  uint64_t seed = 0;
  UnifiedHierarchy unified = UnifiedHierarchy::kUnmount;
  bool help = false;
};

Result<Options> ParseOptions(int argc, char** argv);
std::string HelpText();

// True when --cases asks for this metric: by its name, or by the part before its last "-N"
// (throughput for throughput-4).
bool Wants(const Options& options, const std::string& metric);

}  // namespace kiste::perf
