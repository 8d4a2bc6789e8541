// SPDX-License-Identifier: Apache-2.0
//
// The spatial probes: things are planted in the run's room, which is the host to every sandbox, and
// `load pry` looks for them from inside; then it is looked at what has become of them. Where both
// sides speak of one probe the host's word counts.
#include <map>

#include "base/strings.h"
#include "bench/method/method.h"
#include "bench/spatial/planting.h"
#include "sys/file.h"

namespace kiste::bench {

Result<Outcome> MeasurePry(const Trial& trial) {
  auto folder = StrCat(trial.room.folder, "/planted");
  TRY(sys::MakeDirectories(folder, 0700));
  auto planting = TRY(Planting::Plant(folder));
  auto command = trial.workload.command;
  auto markers = planting.Arguments();
  command.insert(command.end(), markers.begin(), markers.end());
  auto instance = TRY(trial.Make(command));
  auto output = TRY(instance.Run());
  auto outcome = TRY(ReadLoadOutput(output.text));
  auto seen_from_here = TRY(planting.Look());
  outcome.findings = Merge(std::move(outcome.findings), seen_from_here);
  std::map<std::string, double> counts = {
      {"closed", 0}, {"sees", 0}, {"touches", 0}, {"unknown", 0}};
  for (const auto& finding : outcome.findings) ++counts[finding.verdict];
  for (const auto& [verdict, count] : counts)
    outcome.Add(StrCat("spatial/", verdict), "count", count);
  for (const auto& missing : planting.missing()) outcome.gaps.push_back({"planted", missing});
  return outcome;
}

}  // namespace kiste::bench
