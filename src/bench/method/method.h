// SPDX-License-Identifier: Apache-2.0
//
// A way to measure: given a target and a workload it carries out one trial. One file each, and a
// line in methods.cc.
#pragma once

#include <list>
#include <span>
#include <string>

#include "bench/method/read_output.h"
#include "bench/target/target.h"

namespace kiste::bench {

// The root file systems of a run, each made once.
class Roots {
 public:
  Roots(std::string folder, std::string load)
      : folder_(std::move(folder)), load_(std::move(load)) {}
  Result<const RootFileSystem*> Get(const std::vector<std::string>& programs, uint64_t filler = 0);
  const std::string& load() const { return load_; }

 private:
  struct Made {
    std::vector<std::string> programs;
    uint64_t filler;
    RootFileSystem root;
  };
  std::string folder_, load_;
  std::list<Made> made_;
};

struct Trial {
  const Room& room;
  Target& target;
  const WorkloadDescription& workload;
  Roots& roots;
  uint64_t seed = 0;  // of what is drawn within it; the same for all trials of a round

  // An instance of the trial's target with `command` inside and what else the workload asks for.
  Result<Instance> Make(const Words& command, const Link* link = nullptr,
                        uint64_t filler = 0) const;
};

struct Method {
  const char* name;
  const char* what;
  // kUnsupported: cannot be measured on this target or host, and why.
  Result<Outcome> (*run)(const Trial& trial);
};

std::span<const Method> Methods();
// nullptr when there is none.
const Method* FindMethod(std::string_view name);

Result<Outcome> MeasureCommand(const Trial& trial);
Result<Outcome> MeasureLifecycle(const Trial& trial);
Result<Outcome> MeasureThroughput(const Trial& trial);
Result<Outcome> MeasureGrowth(const Trial& trial);
Result<Outcome> MeasureDensity(const Trial& trial);
Result<Outcome> MeasureInterference(const Trial& trial);
Result<Outcome> MeasurePair(const Trial& trial);
Result<Outcome> MeasurePry(const Trial& trial);
Result<Outcome> MeasureReach(const Trial& trial);

}  // namespace kiste::bench
