// SPDX-License-Identifier: Apache-2.0
//
// A victim with latency probes, alone and then beside one kind of neighbour after the other, in
// sandboxes of the same target. slowdown is beside by alone, within one trial.
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

void Compare(const Outcome& alone, const Outcome& beside, const std::string& kind,
             Outcome& outcome) {
  std::map<std::string, double> before;
  for (const auto& sample : Medians(alone.samples)) before[sample.metric] = sample.number;
  for (const auto& sample : Medians(beside.samples)) {
    auto at = before.find(sample.metric);
    if (at == before.end() || at->second <= 0 || sample.number <= 0) continue;
    double slowdown = MoreIsBetter(sample.unit) ? at->second / sample.number
                                                : sample.number / at->second;
    outcome.Add(StrCat("beside-", kind, "/", Short(sample.metric), "/slowdown"), "ratio", slowdown);
  }
}

Status Beside(const Trial& trial, const std::string& kind, const Outcome& alone,
              Outcome& outcome) {
  Words command = {"{load}", "burn", kind};
  if (trial.workload.data) command.insert(command.end(), {"--directory", "{data}"});
  auto neighbour = TRY(trial.Make(command));
  TRY(neighbour.Up());
  auto beside = TRY(RunVictim(trial));
  TRY(neighbour.Down());
  for (const auto& sample : Medians(beside.samples)) {
    outcome.Add(StrCat("beside-", kind, "/", Short(sample.metric)), sample.unit, sample.number);
  }
  Compare(alone, beside, kind, outcome);
  return {};
}

}  // namespace

Result<Outcome> MeasureInterference(const Trial& trial) {
  Outcome outcome;
  auto alone = TRY(RunVictim(trial));
  for (const auto& sample : Medians(alone.samples))
    outcome.Add(StrCat("alone/", Short(sample.metric)), sample.unit, sample.number);
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
