// SPDX-License-Identifier: Apache-2.0
#include "bench/report/figures.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <set>
#include <tuple>

#include "base/strings.h"

namespace kiste::bench {

namespace {

uint64_t SeedOf(std::string_view text) { return std::hash<std::string_view>()(text); }

// What belongs to one figure: the metric, and where on x.
using Key = std::tuple<size_t, std::string, bool, double>;

Key KeyOf(const RecordedTrial& trial, const Sample& sample) {
  return {trial.workload, sample.metric, sample.at.has_value(), sample.at ? sample.at->x : 0};
}

Estimate MakeEstimate(const std::vector<double>& numbers, uint64_t seed) {
  return {Median(numbers), BootstrapMedian(numbers, seed)};
}

std::vector<double> Values(const std::map<int, double>& rounds) {
  std::vector<double> values;
  for (const auto& [round, value] : rounds) values.push_back(value);
  return values;
}

void Summarise(Figure& figure, size_t baseline, uint64_t seed) {
  auto base = figure.cells.find(baseline);
  for (auto& [target, cell] : figure.cells) {
    auto values = Values(cell.rounds);
    cell.value = MakeEstimate(values, seed + target);
    for (bool beyond : Outliers(values)) cell.outliers += beyond ? 1 : 0;
    if (target == baseline || base == figure.cells.end()) continue;
    std::vector<double> ratios;
    for (const auto& [round, value] : cell.rounds) {
      auto other = base->second.rounds.find(round);
      if (other == base->second.rounds.end() || other->second <= 0) continue;
      double ratio = value / other->second;
      if (std::isfinite(ratio)) ratios.push_back(ratio);
    }
    if (!ratios.empty()) cell.ratio = MakeEstimate(ratios, seed + target);
  }
}

std::string Digits(double number, const char* unit) {
  char text[64];
  double size = std::abs(number);
  int digits = size >= 100 || number == 0 ? 0 : size >= 10 ? 1 : 2;
  snprintf(text, sizeof text, "%.*f%s", digits, number, unit);
  return text;
}

std::string Scaled(double number, double step, std::initializer_list<const char*> units) {
  double size = std::abs(number);
  const char* unit = *units.begin();
  for (const char* larger : units) {
    unit = larger;
    if (size < step || larger == *(units.end() - 1)) break;
    size /= step;
    number /= step;
  }
  return Digits(number, unit);
}

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (char c : text) escaped += c == '\'' ? std::string("''") : std::string(1, c);
  return escaped;
}

}  // namespace

size_t Baseline(const RecordedRun& run) {
  for (size_t at = 0; at < run.targets.size(); ++at) {
    if (run.targets[at].baseline) return at;
  }
  return 0;
}

std::vector<Figure> CollectFigures(const RecordedRun& run) {
  std::vector<Figure> figures;
  std::map<Key, size_t> known;
  std::map<std::pair<size_t, std::string>, size_t> first_of_metric;
  for (const auto& trial : run.trials) {
    std::map<size_t, std::vector<double>> samples;
    for (const auto& sample : trial.outcome.samples) {
      auto [at, is_new] = known.insert({KeyOf(trial, sample), figures.size()});
      if (is_new) {
        figures.push_back({trial.workload, sample.metric, sample.unit, sample.at, {}});
        first_of_metric.insert({{trial.workload, sample.metric}, at->second});
      }
      samples[at->second].push_back(sample.number);
    }
    for (const auto& [figure, numbers] : samples) {
      auto& cell = figures[figure].cells[trial.target];
      cell.rounds[trial.round] = Median(numbers);
      cell.samples += numbers.size();
      cell.disturbed += trial.disturbed ? 1 : 0;
    }
  }
  auto place = [&](const Figure& figure) {
    return std::tuple(figure.workload, first_of_metric.at({figure.workload, figure.metric}),
                      figure.at ? figure.at->x : 0.0, figure.at ? figure.at->name : "",
                      figure.unit);
  };
  std::sort(figures.begin(), figures.end(),
            [&](const Figure& a, const Figure& b) { return place(a) < place(b); });
  return figures;
}

std::vector<Figure> MakeFigures(const RecordedRun& run) {
  auto figures = CollectFigures(run);
  size_t baseline = Baseline(run);
  for (auto& figure : figures) Summarise(figure, baseline, SeedOf(figure.metric));
  return figures;
}

std::vector<const Figure*> FirstSight(const std::vector<Figure>& figures, size_t workload) {
  constexpr size_t kMany = 60;
  std::set<std::string> metrics;
  ptrdiff_t fewest = std::numeric_limits<ptrdiff_t>::max();
  auto parts = [](const std::string& metric) {
    return std::count(metric.begin(), metric.end(), '/');
  };
  for (const auto& figure : figures) {
    if (figure.workload != workload) continue;
    metrics.insert(figure.metric);
    fewest = std::min(fewest, parts(figure.metric));
  }
  std::vector<const Figure*> first;
  for (const auto& figure : figures) {
    if (figure.workload != workload) continue;
    if (metrics.size() <= kMany || parts(figure.metric) == fewest) first.push_back(&figure);
  }
  return first;
}

std::string QueryOf(const RecordedRun& run, const Figure& figure) {
  auto query = StrCat(
      "SELECT target.name, trial.round, value.number FROM value JOIN trial ON trial.id = "
      "value.trial JOIN target ON target.id = trial.target JOIN workload ON workload.id = "
      "trial.workload WHERE trial.run = ",
      run.id, " AND trial.round > 0 AND workload.name = '",
      Escaped(run.workloads[figure.workload].name), "' AND value.metric = '",
      Escaped(figure.metric), "'");
  if (!figure.at) return query;
  char x[64];
  snprintf(x, sizeof x, "%.17g", figure.at->x);
  return StrCat(query, " AND value.x = ", x);
}

std::vector<ProbeRow> MakeProbeRows(const RecordedRun& run) {
  std::vector<ProbeRow> rows;
  std::map<std::pair<size_t, std::string>, size_t> known;
  for (const auto& trial : run.trials) {
    for (const auto& finding : trial.outcome.findings) {
      auto [at, is_new] = known.insert({{trial.workload, finding.probe}, rows.size()});
      if (is_new) rows.push_back({trial.workload, finding.probe, {}});
      rows[at->second].by_target[trial.target] = finding;
    }
  }
  return rows;
}

std::vector<Missing> MakeMissing(const RecordedRun& run) {
  std::vector<Missing> all;
  std::map<std::tuple<std::string, std::string, std::string>, size_t> known;
  auto add = [&](Missing missing) {
    auto [at, is_new] =
        known.insert({{missing.target, missing.workload, missing.metric}, all.size()});
    if (is_new) {
      all.push_back(std::move(missing));
    } else {
      ++all[at->second].times;
    }
  };
  for (const auto& target : run.targets) {
    if (target.missing) add({target.name, "", "", *target.missing});
  }
  for (const auto& workload : run.workloads) {
    if (workload.missing) add({"", workload.name, "", *workload.missing});
  }
  for (const auto& trial : run.trials) {
    const auto& target = run.targets[trial.target].name;
    const auto& workload = run.workloads[trial.workload].name;
    if (trial.status != "ok") add({target, workload, "", trial.why});
    for (const auto& gap : trial.outcome.gaps) add({target, workload, gap.metric, gap.why});
  }
  return all;
}

std::string Show(double number, std::string_view unit) {
  if (unit == "ns") return Scaled(number, 1000, {" ns", " µs", " ms", " s"});
  if (unit == "B") return Scaled(number, 1024, {" B", " KiB", " MiB", " GiB", " TiB"});
  if (unit == "B/s") return Scaled(number, 1024, {" B/s", " KiB/s", " MiB/s", " GiB/s", " TiB/s"});
  if (unit == "1/s") return Scaled(number, 1000, {" /s", " k/s", " M/s", " G/s"});
  constexpr double kMostWhole = 1e9;
  if (unit == "count" && number == std::round(number) && std::abs(number) < kMostWhole)
    return StrCat(static_cast<int64_t>(number));
  return Digits(number, "");
}

}  // namespace kiste::bench
