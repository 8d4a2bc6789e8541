// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <sys/utsname.h>

#include <cstdio>
#include <optional>
#include <thread>

#include "statistics.h"

namespace kiste::perf {
namespace {

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string VersionOf(const Target& target) {
  if (target.VersionCommand().empty()) return {};
  auto runner = CommandRunner::Make();
  if (!runner) return {};
  const auto output = runner->Output(target.VersionCommand());
  return output ? FirstLine(*output) : "version unknown";
}

Json Numbers(const std::vector<double>& values) {
  Json::Array out;
  for (const double value : values) out.push_back(Json::Real(value));
  return Json(std::move(out));
}

int Decimals(const Metric& metric) {
  if (metric.unit == "ms") return 2;
  return metric.unit == "1/s" ? 1 : 0;
}

// One row of a case, printed and as JSON.
Json Row(const Target& target, const Metric& metric, const std::vector<double>& values,
         const std::vector<double>* base, uint64_t seed) {
  const Summary summary = Summarize(values);
  const int decimals = Decimals(metric);
  std::printf("  %-12s %10.*f  %10.*f – %-10.*f", target.Name().c_str(), decimals, summary.median,
              decimals, summary.first_quartile, decimals, summary.third_quartile);
  Json row = Json::EmptyObject();
  row.Set("target", target.Name());
  row.Set("median", Json::Real(summary.median));
  row.Set("first_quartile", Json::Real(summary.first_quartile));
  row.Set("third_quartile", Json::Real(summary.third_quartile));
  if (base == &values) {
    std::printf("  1\n");
  } else if (base && base->size() == values.size() && Summarize(*base).median > 0) {
    const Ratio ratio = RatioOfMedians(values, *base, seed);
    std::printf("  %.3f  [%.3f, %.3f]\n", ratio.value, ratio.low, ratio.high);
    row.Set("ratio", Json::Real(ratio.value));
    row.Set("ratio_low", Json::Real(ratio.low));
    row.Set("ratio_high", Json::Real(ratio.high));
  } else {
    std::printf("  -\n");
  }
  row.Set("samples", Numbers(values));
  return row;
}

}  // namespace

Report::Report(const Options& options) : options_(options) {
  json_.Set("rounds", options.schedule.rounds);
  json_.Set("warm_up", options.schedule.warm_up);
  json_.Set("seed", Json::Number{std::to_string(options.seed)});
  json_.Set("base", options.base);
}

void Report::Begin(const std::string& cgroup_layout, const Targets& targets,
                   const std::vector<Missing>& missing) {
  utsname name{};
  uname(&name);
  const auto processors = static_cast<int>(std::thread::hardware_concurrency());
  const std::string load = FirstLine(ReadFile("/proc/loadavg").value_or(""));
  std::printf("host: Linux %s %s, %d processors, load %s\ncgroups: %s\nseed: %llu\n", name.release,
              name.machine, processors, load.c_str(), cgroup_layout.c_str(),
              static_cast<unsigned long long>(options_.seed));
  Json host = Json::EmptyObject();
  host.Set("kernel", std::string(name.release));
  host.Set("machine", std::string(name.machine));
  host.Set("processors", processors);
  host.Set("load", load);
  host.Set("cgroups", cgroup_layout);
  json_.Set("host", host);

  Json::Array list;
  bool base_there = false;
  for (const auto& target : targets) {
    const std::string version = VersionOf(*target);
    std::printf("target %s: %s%s%s\n", target->Name().c_str(), target->Program().c_str(),
                version.empty() ? "" : ", ", version.c_str());
    Json entry = Json::EmptyObject();
    entry.Set("name", target->Name());
    entry.Set("program", target->Program());
    entry.Set("version", version);
    list.push_back(entry);
    base_there |= target->Name() == options_.base;
  }
  json_.Set("targets", Json(std::move(list)));
  for (const Missing& entry : missing) LeftOut("target " + entry.target, entry.reason);
  if (!base_there)
    LeftOut("every ratio", "the base " + options_.base + " is not among the targets");
  std::fflush(stdout);
}

void Report::LeftOut(const std::string& what, const std::string& reason) {
  std::printf("*** MISSING: %s is left out: %s\n", what.c_str(), reason.c_str());
  std::fflush(stdout);
  Json entry = Json::EmptyObject();
  entry.Set("what", what);
  entry.Set("reason", reason);
  if (!json_.Find("left_out")) json_.Set("left_out", Json(Json::Array{}));
  Json::Array entries = json_.Find("left_out")->Items();
  entries.push_back(entry);
  json_.Set("left_out", Json(std::move(entries)));
}

void Report::Failures(const Samples& samples) {
  for (const auto& [name, reason] : samples.failures) {
    clean_ = false;
    LeftOut("target " + name + " in this case", reason);
  }
}

void Report::Case(const Metric& metric, size_t index, const Targets& targets,
                  const Samples& samples, int rounds) {
  std::printf("\n%s — %s%s%s; %s is better; rounds: %d\n", metric.name.c_str(),
              metric.meaning.c_str(), metric.unit.empty() ? "" : "; ", metric.unit.c_str(),
              metric.better == Better::kLower ? "lower" : "higher", rounds);
  std::printf("  %-12s %10s  %10s   %-10s  × %s [95 %%]\n", "", "median", "quartiles", "",
              options_.base.c_str());
  const auto base = samples.by_target.find(options_.base);
  const std::vector<double>* base_values =
      base == samples.by_target.end() ? nullptr : &base->second[index];
  Json::Array rows;
  for (const auto& target : targets) {
    const auto found = samples.by_target.find(target->Name());
    if (found != samples.by_target.end()) {
      rows.push_back(Row(*target, metric, found->second[index], base_values, options_.seed));
    }
  }
  std::fflush(stdout);
  Json entry = Json::EmptyObject();
  entry.Set("case", metric.name);
  entry.Set("unit", metric.unit);
  entry.Set("better", metric.better == Better::kLower ? "lower" : "higher");
  entry.Set("results", Json(std::move(rows)));
  cases_.push_back(entry);
  json_.Set("cases", Json(cases_));
}

}  // namespace kiste::perf
