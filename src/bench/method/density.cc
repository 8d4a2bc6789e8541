// SPDX-License-Identifier: Apache-2.0
//
// Instances beside each other until as many run as asked for, or the machine has too little memory
// left. At a few counts on the way: what each takes, and how long those took to come up that came
// since the last such count.
#include <algorithm>

#include "base/strings.h"
#include "bench/method/memory_use.h"
#include "bench/method/method.h"

namespace kiste::bench {

namespace {

bool IsMark(double count, double most) {
  constexpr double kMarks[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000};
  return count == most ||
         std::find(std::begin(kMarks), std::end(kMarks), count) != std::end(kMarks);
}

void AddUse(const MemoryUse& before, const MemoryUse& now, double count, Outcome& outcome) {
  At at{"instances", count};
  outcome.AddAt(at, "density/pss", "B", (now.pss - before.pss) / count);
  outcome.AddAt(at, "density/processes", "count", (now.processes - before.processes) / count);
  outcome.AddAt(at, "density/charge", "B", std::max(0.0, (now.charge - before.charge) / count));
  outcome.AddAt(at, "density/kernel", "B", (now.kernel - before.kernel) / count);
}

}  // namespace

Result<Outcome> MeasureDensity(const Trial& trial) {
  Outcome outcome;
  double most = trial.workload.Number("instances", 100);
  double least_available = trial.workload.Number("least-available", 1 << 30);
  auto before = TRY(ReadMemoryUse(trial.room.cgroup));
  std::vector<Instance> instances;
  std::vector<double> since_mark;  // how long those took that came up since
  while (static_cast<double>(instances.size()) < most) {
    instances.push_back(TRY(trial.Make({"{load}", "sleep"})));
    auto took = TRY(instances.back().Up());
    auto count = static_cast<double>(instances.size());
    since_mark.push_back(static_cast<double>(took.count()));
    double available = TRY(AvailableMemory());
    bool full = available < least_available;
    if (full || IsMark(count, most)) {
      auto now = TRY(ReadMemoryUse(trial.room.cgroup));
      for (double time : since_mark) outcome.AddAt({"instances", count}, "density/up", "ns", time);
      since_mark.clear();
      AddUse(before, now, count, outcome);
      if (count == most) {
        outcome.Add("density/per-instance-pss", "B", (now.pss - before.pss) / count);
        outcome.Add("density/per-instance-kernel", "B", (now.kernel - before.kernel) / count);
      }
    }
    if (full) {
      outcome.gaps.push_back({"density/up", StrCat("ended at ", instances.size(),
                                                   " instances: too little memory left")});
      break;
    }
  }
  for (auto& instance : instances) TRY(instance.Down());
  return outcome;
}

}  // namespace kiste::bench
