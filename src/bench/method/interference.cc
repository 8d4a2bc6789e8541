// SPDX-License-Identifier: Apache-2.0
//
// A victim with latency probes, alone and then beside one kind of neighbour after the other, in
// sandboxes of the same target. slowdown is beside by alone, within one trial. Of each neighbour
// there are two summaries: `typical` is the geometric mean of what the medians of all probes
// suffer, `worst` the largest factor by which a 99th percentile grows.
#include <algorithm>
#include <cmath>
#include <map>

#include "base/strings.h"
#include "bench/method/method.h"

namespace kiste::bench {

namespace {

Result<Outcome> RunVictim(const Trial& trial) {
  auto instance = TRY(trial.Make(trial.workload.command));
  auto output = TRY(instance.Run());
  return ReadLoadOutput(output.text);
}

// victim/wake/p99 -> wake/p99
std::string_view Short(std::string_view metric) {
  constexpr std::string_view kVictim = "victim/";
  return metric.starts_with(kVictim) ? metric.substr(kVictim.size()) : metric;
}

// Medians and 99th percentiles: beyond them a second's samples say too little.
bool IsKept(std::string_view metric) {
  return metric.ends_with("/p50") || metric.ends_with("/p99");
}

void Compare(const Outcome& alone, const Outcome& beside, const std::string& kind,
             Outcome& outcome) {
  std::map<std::string, double> before;
  for (const auto& sample : Medians(alone.samples)) before[sample.metric] = sample.number;
  double logs = 0, worst = 0;
  int medians = 0;
  for (const auto& sample : Medians(beside.samples)) {
    auto at = before.find(sample.metric);
    if (!IsKept(sample.metric) || at == before.end() || at->second <= 0 || sample.number <= 0)
      continue;
    double slowdown = TimesWorse(sample.unit, sample.number, at->second);
    outcome.Add(StrCat("beside-", kind, "/", Short(sample.metric), "/slowdown"), "ratio", slowdown);
    if (sample.metric.ends_with("/p50")) {
      logs += std::log(slowdown);
      ++medians;
    } else {
      worst = std::max(worst, slowdown);
    }
  }
  if (medians > 0)
    outcome.Add(StrCat("beside-", kind, "/typical"), "ratio", std::exp(logs / medians));
  if (worst > 0) outcome.Add(StrCat("beside-", kind, "/worst"), "ratio", worst);
}

Status Beside(const Trial& trial, const std::string& kind, const Outcome& alone, Outcome& outcome) {
  Words command = {"{load}", "burn", kind};
  if (trial.workload.data) command.insert(command.end(), {"--directory", "{data}"});
  auto neighbour = TRY(trial.Make(command));
  TRY(neighbour.Up());
  auto beside = TRY(RunVictim(trial));
  TRY(neighbour.Down());
  for (const auto& sample : Medians(beside.samples)) {
    if (IsKept(sample.metric))
      outcome.Add(StrCat("beside-", kind, "/", Short(sample.metric)), sample.unit, sample.number);
  }
  Compare(alone, beside, kind, outcome);
  return {};
}

}  // namespace

Result<Outcome> MeasureInterference(const Trial& trial) {
  Outcome outcome;
  auto alone = TRY(RunVictim(trial));
  for (const auto& sample : Medians(alone.samples)) {
    if (!IsKept(sample.metric)) continue;
    outcome.Add(StrCat("alone/", Short(sample.metric)), sample.unit, sample.number);
  }
  outcome.gaps = alone.gaps;
  for (const auto& kind : trial.workload.Texts("neighbours", {"cpu"})) {
    auto done = Beside(trial, kind, alone, outcome);
    if (done) continue;
    if (Interrupted()) return std::unexpected(std::move(done).error());
    // The victim's own end under a neighbour is a finding, too, and no reason to lose the others.
    outcome.gaps.push_back({StrCat("beside-", kind), done.error().Text()});
  }
  return outcome;
}

}  // namespace kiste::bench
