// SPDX-License-Identifier: Apache-2.0
#include "bench/method/reach_figures.h"

#include <map>

#include "base/strings.h"
#include "bench/kernel/subsystem.h"

namespace kiste::bench {

namespace {

void AddParty(const char* party, const std::set<int>& functions, const Symbols& symbols,
              const Subsystems& subsystems, Outcome& outcome) {
  auto metric = [party](std::string_view what) { return StrCat("reach/", party, "/", what); };
  uint64_t text = 0;
  std::map<std::string, int> counts;
  for (int function : functions) {
    text += symbols.functions()[static_cast<size_t>(function)].size;
    ++counts[subsystems.Of(function)];
  }
  outcome.Add(metric("functions"), "count", static_cast<double>(functions.size()));
  outcome.Add(metric("text"), "B", static_cast<double>(text));
  outcome.Add(metric("text-share"), "ratio",
              static_cast<double>(text) / static_cast<double>(symbols.text()));
  for (const auto& [subsystem, count] : counts) outcome.Add(metric(subsystem), "count", count);
}

}  // namespace

void AddReach(const Trace& trace, const Division& division, const Symbols& symbols,
              Outcome& outcome) {
  Subsystems subsystems(symbols);
  AddParty("payload", division.payload, symbols, subsystems, outcome);
  AddParty("runtime", division.runtime, symbols, subsystems, outcome);
  AddParty("kernel-threads", division.kernel_threads, symbols, subsystems, outcome);
  AddParty("interrupts", division.interrupts, symbols, subsystems, outcome);
  AddParty("all", division.All(), symbols, subsystems, outcome);
  outcome.Add("reach/kernel-text", "B", static_cast<double>(symbols.text()));
  outcome.Add("reach/events", "count", static_cast<double>(trace.events));
  if (trace.lost > 0)
    outcome.gaps.push_back({"reach/events", StrCat(trace.lost, " events were lost")});
}

}  // namespace kiste::bench
