// SPDX-License-Identifier: Apache-2.0
// A measurement takes one sample of one target at a time; Interleave() calls it for all targets in
// a new random order every round, so that whatever drifts on the machine falls on all of them.
// Adding a case: derive from Measurement, append it in AllMeasurements().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bundle.h"
#include "process.h"
#include "result.h"
#include "target.h"

namespace kiste::perf {

enum class Better { kLower, kHigher };

struct Metric {
  std::string name;  // the name of the case on the command line
  std::string unit;
  Better better = Better::kLower;
  std::string meaning;
};

// What measurements share: where bundles come from and how containers are named.
class Workshop {
 public:
  Workshop(Bundles bundles, std::string prefix, std::string work_directory,
           std::string own_directory)
      : bundles_(std::move(bundles)),
        prefix_(std::move(prefix)),
        work_directory_(std::move(work_directory)),
        own_directory_(std::move(own_directory)) {}

  Result<Container> MakeContainer(const Target& target, int slot, Payload payload,
                                  Filter filter = Filter::kNone);
  // Runs a command and gives the figure that is asked for: by CommandRunner its milliseconds.
  using Step = std::function<Result<double>(const Argv&)>;
  // Create and start, and wait until the payload is what runs. The figures of both.
  struct CreateAndStart {
    double create = 0;
    double start = 0;
  };
  Result<CreateAndStart> Launch(const Target& target, Container& container, const Step& step);
  Result<CreateAndStart> Launch(const Target& target, Container& container, CommandRunner& runner) {
    return Launch(target, container, Timed(runner));
  }
  // Kill and delete. The figures of both.
  struct KillAndDelete {
    double kill = 0;
    double remove = 0;
  };
  Result<KillAndDelete> End(const Target& target, const Container& container, const Step& step);
  Result<KillAndDelete> End(const Target& target, const Container& container,
                            CommandRunner& runner) {
    return End(target, container, Timed(runner));
  }
  // After a failure: everything of this target goes, without asking it.
  void Discard(const Target& target);

  Bundles& GetBundles() { return bundles_; }
  const std::string& WorkDirectory() const { return work_directory_; }
  const std::string& OwnDirectory() const { return own_directory_; }

 private:
  static Step Timed(CommandRunner& runner) {
    return [&runner](const Argv& command) { return runner.Run(command); };
  }

  Bundles bundles_;
  std::string prefix_;
  std::string work_directory_;
  std::string own_directory_;
};

class Measurement {
 public:
  virtual ~Measurement() = default;
  virtual std::vector<Metric> Metrics() const = 0;
  virtual int Rounds(int asked) const { return asked; }
  virtual bool Supports(const Target& target) const = 0;
  // Why it cannot be done on this host at all; empty when it can.
  virtual std::string Obstacle() const { return {}; }
  virtual Result<void> Prepare(const Target&) { return {}; }
  // One value for each metric.
  virtual Result<std::vector<double>> Sample(const Target& target) = 0;
  virtual Result<void> Finish(const Target&) { return {}; }
};

std::vector<std::unique_ptr<Measurement>> AllMeasurements(Workshop& workshop);
// Their parts: timed_commands.cc, cost.cc, upkeep.cc.
void AddTimedCommands(Workshop& workshop, std::vector<std::unique_ptr<Measurement>>& out);
void AddCosts(Workshop& workshop, std::vector<std::unique_ptr<Measurement>>& out);
void AddUpkeep(Workshop& workshop, std::vector<std::unique_ptr<Measurement>>& out);

// Samples of one measurement: by target, then by metric, then by round. Targets that failed once
// are in `failures` instead, with the reason.
struct Samples {
  std::map<std::string, std::vector<std::vector<double>>> by_target;
  std::map<std::string, std::string> failures;
};

struct Schedule {
  int warm_up = 3;
  int rounds = 30;
};

using Targets = std::vector<std::unique_ptr<Target>>;
Samples Interleave(Measurement& measurement, const Targets& targets, Schedule schedule,
                   Workshop& workshop, std::mt19937_64& random);

}  // namespace kiste::perf
