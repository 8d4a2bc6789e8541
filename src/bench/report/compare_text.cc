// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "base/json.h"
#include "base/strings.h"
#include "bench/report/compare.h"
#include "bench/report/report.h"

namespace kiste::bench {

namespace {

const char* Word(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSame:
      return "no difference";
    case Verdict::kBetter:
      return "better";
    case Verdict::kWorse:
      return "worse";
    case Verdict::kTooFew:
      return "too few rounds";
  }
  return "";
}

std::string NameOf(const Difference& difference) {
  return StrCat(difference.target.empty() ? "" : difference.target + ": ", difference.workload,
                ": ", difference.metric);
}

std::string FindingsText(const Comparison& comparison) {
  if (comparison.probes == 0) return "";
  std::string text = StrCat(comparison.findings.size(), " of ", comparison.probes,
                            " probes found something else\n");
  for (const auto& finding : comparison.findings) {
    text += StrCat("  ", finding.target.empty() ? "" : finding.target + ": ", finding.workload,
                   ": ", finding.probe, "  ", finding.first, " -> ", finding.second, "\n");
  }
  return text;
}

std::string Conclusion(const Comparison& comparison) {
  size_t undecided = comparison.undecided();
  std::string text;
  if (comparison.needed > 0) {
    text = StrCat("With so few rounds not every difference could be found: at least ",
                  comparison.needed, " are needed for this many comparisons.\n");
  }
  if (comparison.any()) return text + "There are real differences.\n";
  if (!comparison.decided()) return text + "No metric could be decided.\n";
  if (undecided == 0) return text + "No difference.\n";
  return StrCat(text, "No difference in what could be decided; ", undecided, " of ",
                comparison.differences.size(), " metrics could not.\n");
}

}  // namespace

std::string TerminalComparison(const Comparison& comparison) {
  std::string text = StrCat(comparison.second, " by ", comparison.first,
                            ": median ratio, its 99 % interval, p corrected for ",
                            comparison.differences.size(), " comparisons\n");
  size_t widest = 0;
  for (const auto& difference : comparison.differences)
    widest = std::max(widest, Width(NameOf(difference)));
  for (const auto& difference : comparison.differences) {
    auto name = NameOf(difference);
    char numbers[128];
    snprintf(numbers, sizeof numbers, "  %7.3f  [%.3f, %.3f]  p %.4f  n %zu  ",
             difference.ratio.median, difference.ratio.interval.low, difference.ratio.interval.high,
             difference.corrected, difference.rounds);
    text += StrCat("  ", name, std::string(widest - Width(name), ' '), numbers,
                   Word(difference.verdict), "\n");
  }
  if (comparison.differences.empty()) text += "  no metric that both have\n";
  return StrCat(text, FindingsText(comparison), Conclusion(comparison));
}

std::string JsonComparison(const Comparison& comparison) {
  json::Buffer buffer;
  json::PrettyWriter writer(buffer);
  writer.StartObject();
  json::Member(writer, "first", comparison.first);
  json::Member(writer, "second", comparison.second);
  json::Member(writer, "different", comparison.any());
  json::Member(writer, "decided", comparison.decided());
  json::Member(writer, "undecided", static_cast<uint64_t>(comparison.undecided()));
  json::Member(writer, "alpha", kAlpha);
  json::Key(writer, "differences");
  writer.StartArray();
  for (const auto& difference : comparison.differences) {
    writer.StartObject();
    json::Member(writer, "workload", difference.workload);
    json::Member(writer, "target", difference.target);
    json::Member(writer, "metric", difference.metric);
    json::Member(writer, "rounds", static_cast<uint64_t>(difference.rounds));
    json::Member(writer, "ratio", difference.ratio.median);
    json::Member(writer, "low", difference.ratio.interval.low);
    json::Member(writer, "high", difference.ratio.interval.high);
    json::Member(writer, "p", difference.p);
    json::Member(writer, "corrected", difference.corrected);
    json::Member(writer, "verdict", Word(difference.verdict));
    writer.EndObject();
  }
  writer.EndArray();
  json::Key(writer, "findings");
  writer.StartArray();
  for (const auto& finding : comparison.findings) {
    writer.StartObject();
    json::Member(writer, "workload", finding.workload);
    json::Member(writer, "target", finding.target);
    json::Member(writer, "probe", finding.probe);
    json::Member(writer, "first", finding.first);
    json::Member(writer, "second", finding.second);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return StrCat(buffer.GetString(), "\n");
}

}  // namespace kiste::bench
