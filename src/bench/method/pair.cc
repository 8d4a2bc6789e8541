// SPDX-License-Identifier: Apache-2.0
//
// Two sandboxes under the same load, beside each other and, before and after that, one alone (the
// isolation benchmark suite's question, asked as duet benchmarks do: both sides see the same
// weather). What drifts evenly through the three drops out of `loss`.
//   loss        how much worse the median of the two is than the mean of both times alone
//   unfairness  how much worse the worse of the two is than the better
//   drift       how much worse one alone is afterwards than before
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

Result<std::vector<Sample>> RunAlone(const Trial& trial, const std::string& load) {
  auto instance = TRY(trial.Make(Command(trial, load)));
  auto output = TRY(instance.Run());
  auto said = TRY(ReadLoadOutput(output.text));
  return Medians(said.samples);
}

struct Both {
  std::vector<Sample> left, right;
};

Result<Both> RunBoth(const Trial& trial, const std::string& load) {
  auto left = TRY(trial.Make(Command(trial, load)));
  auto right = TRY(trial.Make(Command(trial, load)));
  auto left_start = TRY(left.For(Verb::kRun));
  auto right_start = TRY(right.For(Verb::kRun));
  auto left_runs = TRY(Running::Begin(left_start));
  auto right_runs = TRY(Running::Begin(right_start));
  auto left_said = TRY(Finish(left_runs, left));
  auto right_said = TRY(Finish(right_runs, right));
  return Both{Medians(left_said.samples), Medians(right_said.samples)};
}

std::map<std::string, double> ByMetric(const std::vector<Sample>& samples) {
  std::map<std::string, double> numbers;
  for (const auto& sample : samples) numbers[sample.metric] = sample.number;
  return numbers;
}

Status MeasureLoad(const Trial& trial, const std::string& load, Outcome& outcome) {
  auto first = TRY(RunAlone(trial, load));
  auto both = TRY(RunBoth(trial, load));
  auto last = TRY(RunAlone(trial, load));
  auto before = ByMetric(first), after = ByMetric(last), other = ByMetric(both.right);
  for (const auto& [metric, unit, at, number] : both.left) {
    if (!before.contains(metric) || !after.contains(metric) || !other.contains(metric)) continue;
    double alone = (before[metric] + after[metric]) / 2;
    double a = Worse(unit, number, alone);
    double b = Worse(unit, other[metric], alone);
    outcome.Add(StrCat(metric, "/loss"), "ratio", (a + b) / 2);
    outcome.Add(StrCat(metric, "/unfairness"), "ratio", a > b ? a / b : b / a);
    outcome.Add(StrCat(metric, "/drift"), "ratio", Worse(unit, after[metric], before[metric]));
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
