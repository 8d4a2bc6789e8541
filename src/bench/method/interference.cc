// SPDX-License-Identifier: Apache-2.0
//
// A victim with latency probes, alone and beside one kind of neighbour after the other, in
// sandboxes of the same target. The neighbours come in an order drawn for the round, and alone it
// is measured before the first of them, half-way and after the last: neither a cold start nor what
// drifts within a trial is then any neighbour's doing. slowdown is beside by the median of these
// three. Of each neighbour there are two summaries: `typical` is the geometric mean of what the
// medians of all probes suffer, `worst` the largest factor by which a 99th percentile grows.
// alone/drift is `typical` of the last time alone to the first.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "base/strings.h"
#include "bench/method/method.h"
#include "bench/statistics/statistics.h"

namespace kiste::bench {

namespace {

// victim/wake/p99 -> wake/p99
std::string_view Short(std::string_view metric) {
  constexpr std::string_view kVictim = "victim/";
  return metric.starts_with(kVictim) ? metric.substr(kVictim.size()) : metric;
}

// Medians and 99th percentiles: beyond them a second's samples say too little.
bool IsKept(std::string_view metric) {
  return metric.ends_with("/p50") || metric.ends_with("/p99");
}

// What is kept of the victim's figures, and its gaps.
Result<Outcome> RunVictim(const Trial& trial) {
  auto instance = TRY(trial.Make(trial.workload.command));
  auto output = TRY(instance.Run());
  auto said = TRY(ReadLoadOutput(output.text));
  Outcome kept;
  for (const auto& sample : Medians(said.samples)) {
    if (IsKept(sample.metric)) {
      kept.Add(std::string(Short(sample.metric)), sample.unit, sample.number);
    }
  }
  kept.gaps = std::move(said.gaps);
  return kept;
}

Result<Outcome> RunBeside(const Trial& trial, const std::string& kind) {
  Words command = {"{load}", "burn", kind};
  auto options = trial.workload.Texts(kind, {});
  command.insert(command.end(), options.begin(), options.end());
  if (trial.workload.data) command.insert(command.end(), {"--directory", "{data}"});
  auto neighbour = TRY(trial.Make(command));
  TRY(neighbour.Up());
  auto beside = TRY(RunVictim(trial));
  TRY(neighbour.Down());
  return beside;
}

void AddAll(const std::string& prefix, const Outcome& said, Outcome& outcome) {
  for (const auto& sample : said.samples)
    outcome.Add(StrCat(prefix, "/", sample.metric), sample.unit, sample.number);
}

// How many times worse one time is than another.
struct Slowdown {
  std::vector<std::pair<std::string, double>> by_metric;
  double typical = 0, worst = 0;  // 0: there is nothing to say it of
};

Slowdown Compare(const std::vector<Sample>& before, const std::vector<Sample>& now) {
  std::map<std::string, double> numbers;
  for (const auto& sample : before) numbers[sample.metric] = sample.number;
  Slowdown slowdown;
  double logs = 0;
  int medians = 0;
  for (const auto& sample : now) {
    auto at = numbers.find(sample.metric);
    if (at == numbers.end() || at->second <= 0 || sample.number <= 0) continue;
    double times = TimesWorse(sample.unit, sample.number, at->second);
    slowdown.by_metric.emplace_back(sample.metric, times);
    if (sample.metric.ends_with("/p50")) {
      logs += std::log(times);
      ++medians;
    } else {
      slowdown.worst = std::max(slowdown.worst, times);
    }
  }
  if (medians > 0) slowdown.typical = std::exp(logs / medians);
  return slowdown;
}

void AddSlowdown(const std::string& prefix, const Slowdown& slowdown, Outcome& outcome) {
  for (const auto& [metric, times] : slowdown.by_metric)
    outcome.Add(StrCat(prefix, "/", metric, "/slowdown"), "ratio", times);
  if (slowdown.typical > 0) outcome.Add(StrCat(prefix, "/typical"), "ratio", slowdown.typical);
  if (slowdown.worst > 0) outcome.Add(StrCat(prefix, "/worst"), "ratio", slowdown.worst);
}

// What was seen in one trial. Into the outcome goes what was measured as it is measured, so that
// the record has the order; and then the ratios, by neighbours as the workload has them.
class Interference {
 public:
  explicit Interference(const Trial& trial)
      : trial_(trial),
        kinds_(trial.workload.Texts("neighbours", {"cpu"})),
        beside_(kinds_.size()) {}

  Result<Outcome> Measure() {
    Random random(trial_.seed);
    const auto order = Permutation(kinds_.size(), random);
    const size_t half = (order.size() + 1) / 2;
    for (size_t at = 0; at < order.size(); ++at) {
      if (at % half == 0) TRY(Alone());
      TRY(Beside(order[at]));
    }
    TRY(Alone());
    AddRatios();
    return std::move(outcome_);
  }

 private:
  Status Alone() {
    auto alone = TRY(RunVictim(trial_));
    AddAll("alone", alone, outcome_);
    if (alone_.empty()) outcome_.gaps = alone.gaps;
    alone_.push_back(std::move(alone.samples));
    return {};
  }

  Status Beside(size_t which) {
    const auto name = StrCat("beside-", kinds_[which]);
    auto beside = RunBeside(trial_, kinds_[which]);
    if (beside) {
      AddAll(name, *beside, outcome_);
      beside_[which] = std::move(beside->samples);
      return {};
    }
    if (Interrupted()) return std::unexpected(std::move(beside).error());
    // The victim's own end under a neighbour is a finding, too, and no reason to lose the others.
    outcome_.gaps.push_back({name, beside.error().Text()});
    return {};
  }

  void AddRatios() {
    std::vector<Sample> all;
    for (const auto& once : alone_) all.insert(all.end(), once.begin(), once.end());
    const auto alone = Medians(all);
    double drift = Compare(alone_.front(), alone_.back()).typical;
    if (drift > 0) outcome_.Add("alone/drift", "ratio", drift);
    for (size_t which = 0; which < kinds_.size(); ++which) {
      if (beside_[which])
        AddSlowdown(StrCat("beside-", kinds_[which]), Compare(alone, *beside_[which]), outcome_);
    }
  }

  const Trial& trial_;
  const std::vector<std::string> kinds_;
  std::vector<std::vector<Sample>> alone_;                  // in the order of time
  std::vector<std::optional<std::vector<Sample>>> beside_;  // as kinds_
  Outcome outcome_;
};

}  // namespace

Result<Outcome> MeasureInterference(const Trial& trial) { return Interference(trial).Measure(); }

}  // namespace kiste::bench
