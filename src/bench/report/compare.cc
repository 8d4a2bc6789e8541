// SPDX-License-Identifier: Apache-2.0
#include "bench/report/compare.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "base/strings.h"

namespace kiste::bench {

namespace {

// One metric of one target: a number for each round.
using Rounds = std::map<int, double>;
struct Series {
  std::string workload, metric, unit;
  Rounds rounds;
};

// A metric's figures as one series: over x the geometric mean, of rounds that have every x.
std::vector<Series> SeriesOf(const RecordedRun& run, const std::vector<Figure>& figures,
                             size_t target) {
  std::vector<Series> all;
  std::vector<std::map<int, std::pair<double, int>>> sums;
  std::map<std::pair<size_t, std::string>, size_t> known;
  std::vector<int> points;
  for (const auto& figure : figures) {
    auto cell = figure.cells.find(target);
    // A histogram is what percentiles are read from, and no figure of its own.
    if (cell == figure.cells.end() || figure.metric.ends_with("/histogram")) continue;
    auto [at, is_new] = known.insert({{figure.workload, figure.metric}, all.size()});
    if (is_new) {
      all.push_back({run.workloads[figure.workload].name, figure.metric, figure.unit, {}});
      sums.emplace_back();
      points.push_back(0);
    }
    ++points[at->second];
    for (const auto& [round, value] : cell->second.rounds) {
      if (value <= 0) continue;  // has no ratio
      auto& [sum, count] = sums[at->second][round];
      sum += std::log(value);
      ++count;
    }
  }
  for (size_t at = 0; at < all.size(); ++at) {
    for (const auto& [round, sum] : sums[at]) {
      if (sum.second == points[at]) all[at].rounds[round] = std::exp(sum.first / points[at]);
    }
  }
  std::erase_if(all, [](const Series& series) { return series.rounds.empty(); });
  return all;
}

const Series* Find(const std::vector<Series>& all, const Series& like) {
  for (const auto& series : all) {
    if (series.workload == like.workload && series.metric == like.metric) return &series;
  }
  return nullptr;
}

std::vector<double> Values(const Rounds& rounds) {
  std::vector<double> values;
  for (const auto& [round, value] : rounds) values.push_back(value);
  return values;
}

uint64_t SeedOf(const Series& series) {
  return std::hash<std::string>()(series.workload + "/" + series.metric);
}

Difference ComparePaired(const Series& first, const Series& second) {
  std::vector<double> ratios, logs;
  for (const auto& [round, value] : first.rounds) {
    auto other = second.rounds.find(round);
    if (other == second.rounds.end()) continue;
    ratios.push_back(other->second / value);
    logs.push_back(std::log(ratios.back()));
  }
  Difference difference{first.workload, "", first.metric, first.unit};
  difference.rounds = ratios.size();
  difference.ratio = {Median(ratios), BootstrapMedian(ratios, SeedOf(first))};
  difference.p = SignedRank(logs);
  return difference;
}

// The interval of the ratio of two medians: both sides drawn anew each time.
Interval BootstrapRatio(const std::vector<double>& a, const std::vector<double>& b, uint64_t seed) {
  constexpr int kDraws = 10'000;
  Random random(seed);
  std::vector<double> ratios, draw_a(a.size()), draw_b(b.size());
  for (int i = 0; i < kDraws; ++i) {
    for (auto& number : draw_a) number = a[random.Below(a.size())];
    for (auto& number : draw_b) number = b[random.Below(b.size())];
    ratios.push_back(Median(draw_b) / Median(draw_a));
  }
  std::sort(ratios.begin(), ratios.end());
  double tail = (1 - kConfidence) / 2;
  return {Quantile(ratios, tail), Quantile(ratios, 1 - tail)};
}

Difference CompareApart(const Series& first, const Series& second, const std::string& target) {
  auto a = Values(first.rounds), b = Values(second.rounds);
  Difference difference{first.workload, target, first.metric, first.unit};
  difference.rounds = std::min(a.size(), b.size());
  difference.ratio = {Median(b) / Median(a), BootstrapRatio(a, b, SeedOf(first))};
  difference.p = MannWhitney(a, b);
  return difference;
}

// The least p-value that n rounds can give.
double LeastPaired(double n) { return 2 * std::exp2(-n); }
double LeastApart(double n) {
  // 2 / C(2n, n)
  return 2 * std::exp(2 * std::lgamma(n + 1) - std::lgamma(2 * n + 1));
}

// Corrects the family and says what each difference is. `least` is the least p-value that a number
// of rounds can give, `tolerance` the relative difference that counts as none.
void Judge(Comparison& comparison, double (*least)(double), double tolerance) {
  auto& all = comparison.differences;
  auto family = static_cast<double>(all.size());
  auto can_tell = [&](double rounds) { return least(rounds) * family < kAlpha; };
  std::vector<Difference*> members;
  std::vector<double> p;
  for (auto& difference : all) {
    if (can_tell(static_cast<double>(difference.rounds))) {
      members.push_back(&difference);
      p.push_back(difference.p);
      continue;
    }
    difference.verdict = Verdict::kTooFew;
    int needed = 2;
    while (!can_tell(needed)) ++needed;
    comparison.needed = needed;
  }
  auto corrected = Holm(p);
  for (size_t at = 0; at < members.size(); ++at) {
    auto& difference = *members[at];
    difference.corrected = corrected[at];
    double distance = std::abs(std::log(difference.ratio.median));
    if (difference.corrected >= kAlpha || distance <= std::log1p(tolerance)) continue;
    bool more = difference.ratio.median > 1;
    difference.verdict = more == MoreIsBetter(difference.unit) ? Verdict::kBetter : Verdict::kWorse;
  }
}

// Each round's value by the baseline's of the same round.
std::vector<Series> ByBaseline(std::vector<Series> all, const std::vector<Series>& baseline) {
  for (auto& series : all) {
    const auto* base = Find(baseline, series);
    if (base == nullptr) continue;
    Rounds ratios;
    for (const auto& [round, value] : series.rounds) {
      if (auto at = base->rounds.find(round); at != base->rounds.end())
        ratios[round] = value / at->second;
    }
    series.rounds = std::move(ratios);
  }
  return all;
}

std::unexpected<Error> NotOf(const RecordedRun& run, std::string_view kind,
                             const std::vector<std::string>& known, const std::string& name) {
  return Fail(ErrorKind::kNotFound, StrCat("run ", run.name, ": expected one of the ", kind, " ",
                                           Join(known, ", "), ", found ", Quote(name)));
}

size_t IndexOf(const RecordedRun& run, const std::string& target) {
  size_t at = 0;
  while (at < run.targets.size() && run.targets[at].name != target) ++at;
  return at;
}

// What a target's probes found, by workload and probe; without what they could not tell.
std::map<std::pair<std::string, std::string>, std::string> VerdictsOf(const RecordedRun& run,
                                                                      size_t target) {
  std::map<std::pair<std::string, std::string>, std::string> verdicts;
  for (const auto& row : MakeProbeRows(run)) {
    auto found = row.by_target.find(target);
    if (found == row.by_target.end() || found->second.verdict == "unknown") continue;
    verdicts[{run.workloads[row.workload].name, row.probe}] = found->second.verdict;
  }
  return verdicts;
}

void CompareFindings(const RecordedRun& first, size_t first_target, const RecordedRun& second,
                     size_t second_target, const std::string& name, Comparison& comparison) {
  auto left = VerdictsOf(first, first_target), right = VerdictsOf(second, second_target);
  for (const auto& [probe, verdict] : left) {
    auto other = right.find(probe);
    if (other == right.end()) continue;
    ++comparison.probes;
    if (other->second == verdict) continue;
    comparison.findings.push_back({probe.first, name, probe.second, verdict, other->second});
  }
}

}  // namespace

bool Comparison::any() const {
  auto real = [](const Difference& difference) {
    return difference.verdict == Verdict::kBetter || difference.verdict == Verdict::kWorse;
  };
  return !findings.empty() || std::any_of(differences.begin(), differences.end(), real);
}

size_t Comparison::undecided() const {
  auto few = [](const Difference& difference) { return difference.verdict == Verdict::kTooFew; };
  return static_cast<size_t>(std::count_if(differences.begin(), differences.end(), few));
}

bool Comparison::decided() const {
  return differences.empty() ? probes > 0 : undecided() < differences.size();
}

Status KeepWorkloads(RecordedRun& run, const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const auto& workload : run.workloads) known.push_back(workload.name);
  for (const auto& name : names) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      return NotOf(run, "workloads", known, name);
  }
  std::erase_if(run.trials, [&](const RecordedTrial& trial) {
    return std::find(names.begin(), names.end(), known[trial.workload]) == names.end();
  });
  return {};
}

Result<Comparison> CompareTargets(const RecordedRun& run, const std::string& first,
                                  const std::string& second) {
  for (const auto& name : {first, second}) {
    if (IndexOf(run, name) < run.targets.size()) continue;
    std::vector<std::string> known;
    for (const auto& target : run.targets) known.push_back(target.name);
    return NotOf(run, "targets", known, name);
  }
  Comparison comparison{.first = first, .second = second};
  auto figures = CollectFigures(run);
  auto left = SeriesOf(run, figures, IndexOf(run, first));
  auto right = SeriesOf(run, figures, IndexOf(run, second));
  for (const auto& series : left) {
    if (const auto* other = Find(right, series))
      comparison.differences.push_back(ComparePaired(series, *other));
  }
  std::erase_if(comparison.differences, [](const Difference& d) { return d.rounds == 0; });
  Judge(comparison, LeastPaired, 0);
  CompareFindings(run, IndexOf(run, first), run, IndexOf(run, second), "", comparison);
  return comparison;
}

Comparison CompareRuns(const RecordedRun& first, const RecordedRun& second) {
  Comparison comparison{.first = first.name, .second = second.name};
  auto left_figures = CollectFigures(first), right_figures = CollectFigures(second);
  const auto& base = first.targets[Baseline(first)].name;
  bool same_base = second.targets[Baseline(second)].name == base;
  auto left_base = SeriesOf(first, left_figures, Baseline(first));
  auto right_base = SeriesOf(second, right_figures, Baseline(second));
  for (size_t at = 0; at < first.targets.size(); ++at) {
    const auto& target = first.targets[at].name;
    size_t other = IndexOf(second, target);
    if (other == second.targets.size()) continue;
    CompareFindings(first, at, second, other, target, comparison);
    auto left = SeriesOf(first, left_figures, at);
    auto right = SeriesOf(second, right_figures, other);
    bool others = first.targets.size() > 1 && second.targets.size() > 1;
    if (same_base && others && target == base) continue;
    if (same_base && target != base) {
      left = ByBaseline(std::move(left), left_base);
      right = ByBaseline(std::move(right), right_base);
    }
    for (const auto& series : left) {
      const auto* match = Find(right, series);
      if (match == nullptr || match->rounds.empty() || series.rounds.empty()) continue;
      comparison.differences.push_back(CompareApart(series, *match, target));
    }
  }
  Judge(comparison, LeastApart, kTolerance);
  return comparison;
}

}  // namespace kiste::bench
