// SPDX-License-Identifier: Apache-2.0
#include "bench/method/reach_figures.h"

#include <map>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "bench/kernel/source_lines.h"
#include "bench/kernel/subsystem.h"

namespace kiste::bench {

namespace {

// As metrics call them.
std::vector<std::pair<const char*, std::set<int>>> ByParty(const Division& division) {
  return {{"payload", division.payload},
          {"runtime", division.runtime},
          {"kernel-threads", division.kernel_threads},
          {"interrupts", division.interrupts},
          {"all", division.All()}};
}

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

std::string TopFolder(std::string_view file) {
  auto slash = file.find('/');
  return InMetric(slash == std::string_view::npos ? "other" : file.substr(0, slash));
}

void AddPartyLines(const char* party, const std::set<int>& functions, const Symbols& symbols,
                   SourceLines& source, Outcome& outcome) {
  auto metric = StrCat("reach/", party, "/lines");
  std::set<SourceLine> lines;
  std::map<std::string, int> counts;
  int without = 0;
  for (int place : functions) {
    const auto& function = symbols.functions()[static_cast<size_t>(place)];
    if (!source.Add(function.address, function.size, lines)) ++without;
  }
  for (const auto& line : lines)
    ++counts[TopFolder(source.files()[static_cast<size_t>(line.file)])];
  outcome.Add(metric, "count", static_cast<double>(lines.size()));
  for (const auto& [folder, count] : counts)
    outcome.Add(StrCat(metric, "-", folder), "count", count);
  if (without > 0)
    outcome.gaps.push_back({metric, StrCat(without, " functions have no debug symbols")});
}

}  // namespace

void AddReachedLines(const Division& division, const Symbols& symbols, Outcome& outcome) {
  auto source = SourceLines::OfKernel(symbols);
  if (!source) {
    outcome.gaps.push_back({"reach/all/lines", source.error().Text()});
    return;
  }
  for (const auto& [party, functions] : ByParty(division))
    AddPartyLines(party, functions, symbols, *source, outcome);
}

void AddReach(const Trace& trace, const Division& division, const Symbols& symbols,
              Outcome& outcome) {
  Subsystems subsystems(symbols);
  for (const auto& [party, functions] : ByParty(division))
    AddParty(party, functions, symbols, subsystems, outcome);
  outcome.Add("reach/kernel-text", "B", static_cast<double>(symbols.text()));
  outcome.Add("reach/events", "count", static_cast<double>(trace.events));
  if (trace.lost > 0)
    outcome.gaps.push_back({"reach/events", StrCat(trace.lost, " events were lost")});
}

}  // namespace kiste::bench
