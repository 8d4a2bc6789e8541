// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>

#include "base/strings.h"
#include "bench/report/report.h"

namespace kiste::bench {

namespace {

using Row = std::vector<std::string>;

// What may not reach a terminal as it is: control characters would be commands.
std::string Clean(std::string_view text) {
  std::string clean;
  for (char c : text) clean += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return clean;
}

std::string Padded(const std::string& text, size_t width, bool right) {
  size_t size = Width(text);
  std::string space(size < width ? width - size : 0, ' ');
  return right ? space + text : text + space;
}

// The first column to the left, the others to the right.
std::string Table(const std::vector<Row>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t at = 0; at < row.size(); ++at) widths[at] = std::max(widths[at], Width(row[at]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line = "  ";
    for (size_t at = 0; at < row.size(); ++at)
      line += StrCat(at > 0 ? "  " : "", Padded(row[at], widths[at], at > 0));
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

// Of one round there is no interval.
std::string Percent(const Estimate& estimate, size_t rounds) {
  if (estimate.median == 0 || rounds < 2) return "";
  double half =
      std::max(estimate.interval.high - estimate.median, estimate.median - estimate.interval.low);
  char text[32];
  snprintf(text, sizeof text, " ±%.0f%%", 100 * half / std::max(estimate.median, -estimate.median));
  return text;
}

std::string CellText(const Cell& cell, const std::string& unit) {
  std::string text = StrCat(Show(cell.value.median, unit), Percent(cell.value, cell.rounds.size()));
  if (!cell.ratio) return text;
  char ratio[32];
  snprintf(ratio, sizeof ratio, " ×%.2f", cell.ratio->median);
  return text + ratio;
}

std::string NameOf(const Figure& figure) {
  auto name = Clean(figure.metric);
  if (!figure.at) return name;
  bool bytes = figure.at->name == "bytes";
  return StrCat(name, " at ", Show(figure.at->x, bytes ? "B" : "count"),
                bytes ? "" : " " + Clean(figure.at->name));
}

// As many targets beside each other as fit.
std::string FiguresOf(const RecordedRun& run, const std::vector<const Figure*>& figures,
                      size_t width) {
  constexpr size_t kColumn = 24, kFirst = 34;
  size_t each = std::max<size_t>(1, width > kFirst ? (width - kFirst) / kColumn : 1);
  std::vector<size_t> targets;
  for (size_t target = 0; target < run.targets.size(); ++target) {
    auto has = [target](const Figure* figure) { return figure->cells.contains(target); };
    if (std::any_of(figures.begin(), figures.end(), has)) targets.push_back(target);
  }
  std::string text;
  for (size_t from = 0; from < targets.size(); from += each) {
    size_t to = std::min(from + each, targets.size());
    std::vector<Row> rows(1, Row{""});
    for (size_t at = from; at < to; ++at) rows[0].push_back(Clean(run.targets[targets[at]].name));
    for (const auto* figure : figures) {
      rows.push_back({NameOf(*figure)});
      for (size_t at = from; at < to; ++at) {
        auto cell = figure->cells.find(targets[at]);
        rows.back().push_back(cell == figure->cells.end() ? "–"
                                                          : CellText(cell->second, figure->unit));
      }
    }
    text += Table(rows) + "\n";
  }
  return text;
}

std::string ProbesText(const RecordedRun& run, size_t workload) {
  std::vector<Row> rows(1, Row{""});
  std::vector<size_t> targets;
  auto probes = MakeProbeRows(run);
  std::erase_if(probes, [workload](const ProbeRow& row) { return row.workload != workload; });
  for (size_t target = 0; target < run.targets.size(); ++target) {
    auto has = [target](const ProbeRow& row) { return row.by_target.contains(target); };
    if (!std::any_of(probes.begin(), probes.end(), has)) continue;
    targets.push_back(target);
    rows[0].push_back(Clean(run.targets[target].name));
  }
  for (const auto& probe : probes) {
    rows.push_back({Clean(probe.probe)});
    for (size_t target : targets) {
      auto at = probe.by_target.find(target);
      rows.back().push_back(at == probe.by_target.end() ? "–" : Clean(at->second.verdict));
    }
  }
  return rows.size() > 1 ? Table(rows) + "\n" : "";
}

std::string MissingText(const RecordedRun& run) {
  auto all = MakeMissing(run);
  if (all.empty()) return "";
  std::string text = "Not measured:\n";
  for (const auto& missing : all) {
    std::string what = missing.target;
    for (const auto& part : {missing.workload, missing.metric})
      what += what.empty() || part.empty() ? part : ", " + part;
    text += StrCat("  ", Clean(what), ": ", Clean(missing.why));
    text += missing.times > 1 ? StrCat(" (", missing.times, " times)\n") : "\n";
  }
  return text;
}

}  // namespace

size_t Width(std::string_view text) {
  auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), begins));
}

std::string TerminalReport(const RecordedRun& run, size_t width) {
  auto figures = MakeFigures(run);
  size_t baseline = Baseline(run);
  std::string text = StrCat("Run ", Clean(run.name), ", ", Clean(run.began), ", ", run.rounds,
                            run.rounds == 1 ? " round" : " rounds",
                            run.ended.empty() ? ", not finished" : "", "\n");
  text += StrCat("Medians over rounds, ± the 99 % interval (of fewer than ", kFewestForInterval,
                 " rounds: their range)");
  if (run.targets.size() > 1)
    text += StrCat(", × the ratio to ", Clean(run.targets[baseline].name));
  size_t disturbed = 0;
  for (const auto& trial : run.trials) disturbed += trial.disturbed ? 1 : 0;
  text += StrCat("\n", disturbed, " of ", run.trials.size(), " trials were disturbed\n\n");
  for (size_t workload = 0; workload < run.workloads.size(); ++workload) {
    auto its = FirstSight(figures, workload);
    auto probes = ProbesText(run, workload);
    if (its.empty() && probes.empty()) continue;
    const auto& about = run.workloads[workload];
    text += StrCat(Clean(about.name), ": ", Clean(about.title), "\n");
    text += FiguresOf(run, its, width);
    auto of_it = [workload](const Figure& figure) { return figure.workload == workload; };
    auto all = static_cast<size_t>(std::count_if(figures.begin(), figures.end(), of_it));
    if (all > its.size())
      text += StrCat("  and ", all - its.size(), " more: --html, --json and --csv have them\n\n");
    text += probes;
  }
  return text + MissingText(run);
}

}  // namespace kiste::bench
