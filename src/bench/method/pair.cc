// SPDX-License-Identifier: Apache-2.0
//
// Two sandboxes under the same load, first one alone, then both beside each other (the isolation
// benchmark suite's question, asked as duet benchmarks do: both sides see the same weather).
//   loss        how much worse the median of the two is than alone
//   unfairness  how much worse the worse of the two is than the better
#include <map>

#include "base/strings.h"
#include "bench/method/method.h"

namespace kiste::bench {

namespace {

Words Command(const Trial& trial, const std::string& load) {
  Words command = {"{load}", load};
  if (load == "disk") command.emplace_back("{data}");
  auto options = trial.workload.Texts(load, {});
  command.insert(command.end(), options.begin(), options.end());
  return command;
}

Result<Outcome> Finish(Running& running, const Instance& instance) {
  TRY(running.WaitForSuccess(instance.Patience()));
  return ReadLoadOutput(running.TakeOutput());
}

// In the unit's direction: above 1 is worse.
double Worse(const std::string& unit, double number, double than) {
  if (number <= 0 || than <= 0) return 1;
  return TimesWorse(unit, number, than);
}

Status MeasureLoad(const Trial& trial, const std::string& load, Outcome& outcome) {
  auto first = TRY(trial.Make(Command(trial, load)));
  auto output = TRY(first.Run());
  auto alone = TRY(ReadLoadOutput(output.text));
  auto left = TRY(trial.Make(Command(trial, load)));
  auto right = TRY(trial.Make(Command(trial, load)));
  auto left_start = TRY(left.For(Verb::kRun));
  auto right_start = TRY(right.For(Verb::kRun));
  auto left_runs = TRY(Running::Begin(left_start));
  auto right_runs = TRY(Running::Begin(right_start));
  auto left_said = TRY(Finish(left_runs, left));
  auto right_said = TRY(Finish(right_runs, right));
  std::map<std::string, double> before, other;
  for (const auto& sample : Medians(alone.samples)) before[sample.metric] = sample.number;
  for (const auto& sample : Medians(right_said.samples)) other[sample.metric] = sample.number;
  for (const auto& sample : Medians(left_said.samples)) {
    if (!before.contains(sample.metric) || !other.contains(sample.metric)) continue;
    double a = Worse(sample.unit, sample.number, before[sample.metric]);
    double b = Worse(sample.unit, other[sample.metric], before[sample.metric]);
    outcome.Add(StrCat(sample.metric, "/loss"), "ratio", (a + b) / 2);
    outcome.Add(StrCat(sample.metric, "/unfairness"), "ratio", a > b ? a / b : b / a);
  }
  return {};
}

}  // namespace

Result<Outcome> MeasurePair(const Trial& trial) {
  Outcome outcome;
  for (const auto& load : trial.workload.Texts("loads", {"cpu"})) {
    auto done = MeasureLoad(trial, load, outcome);
    if (done) continue;
    if (Interrupted()) return std::unexpected(std::move(done).error());
    outcome.gaps.push_back({load, done.error().Text()});
  }
  return outcome;
}

}  // namespace kiste::bench
