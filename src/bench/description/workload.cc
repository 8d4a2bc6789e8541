// SPDX-License-Identifier: Apache-2.0
#include "bench/description/workload.h"

#include <algorithm>

#include "base/strings.h"

namespace kiste::bench {

namespace {

Result<Limits> ReadLimits(const json::Value& table) {
  TRY(OnlyMembers(table, {"cpus", "memory", "pids"}));
  Limits limits;
  if (table["cpus"]) limits.cpus = TRY(ReadNumber(table["cpus"], 0));
  if (limits.cpus && *limits.cpus <= 0) return table["cpus"].Expected("a number above 0");
  if (table["memory"]) limits.memory = TRY(table["memory"].Uint());
  if (table["pids"]) limits.pids = TRY(table["pids"].Uint());
  return limits;
}

Status ReadSetting(const json::Value& value, const std::string& name,
                   WorkloadDescription& workload) {
  if (value.is_number()) {
    workload.numbers[name] = {TRY(ReadNumber(value, 0))};
    return {};
  }
  if (value.is_string()) {
    workload.words[name] = {TRY(value.String())};
    return {};
  }
  if (!value.is_array()) return value.Expected("a number, a text, or a list of either");
  return value.ForEach([&](const json::Value& element) -> Status {
    if (element.is_number()) {
      workload.numbers[name].push_back(TRY(ReadNumber(element, 0)));
    } else {
      workload.words[name].push_back(TRY(element.String()));
    }
    return {};
  });
}

Status ReadPatterns(const json::Value& list, WorkloadDescription& workload) {
  return list.ForEach([&](const json::Value& table) -> Status {
    TRY(OnlyMembers(table, {"pattern", "metric", "unit", "factor"}));
    OutputPattern pattern;
    pattern.pattern = TRY(table["pattern"].String());
    pattern.metric = TRY(table["metric"].String());
    pattern.unit = TRY(table["unit"].String());
    pattern.factor = TRY(ReadNumber(table["factor"], 1));
    workload.read.push_back(std::move(pattern));
    return {};
  });
}

Status ReadChoices(const json::Value& root, WorkloadDescription& workload) {
  workload.axiom = TRY(root["axiom"].String());
  constexpr std::string_view kAxioms[] = {"performance", "temporal", "spatial", "isolation"};
  if (std::find(std::begin(kAxioms), std::end(kAxioms), workload.axiom) == std::end(kAxioms))
    return root["axiom"].Expected("performance, temporal, spatial or isolation");
  auto network = TRY(root["network"].StringOr("none"));
  if (network != "none" && network != "link") return root["network"].Expected("none or link");
  workload.network = network == "link" ? NetworkKind::kLink : NetworkKind::kNone;
  return {};
}

}  // namespace

double WorkloadDescription::Number(const std::string& setting, double fallback) const {
  auto at = numbers.find(setting);
  return at == numbers.end() ? fallback : at->second.front();
}

std::vector<double> WorkloadDescription::Numbers(const std::string& setting,
                                                 const std::vector<double>& fallback) const {
  auto at = numbers.find(setting);
  return at == numbers.end() ? fallback : at->second;
}

std::vector<std::string> WorkloadDescription::Texts(
    const std::string& setting, const std::vector<std::string>& fallback) const {
  auto at = words.find(setting);
  return at == words.end() ? fallback : at->second;
}

Result<WorkloadDescription> ParseWorkload(std::string_view text, const std::string& name,
                                          const std::string& file) {
  auto document = TRY(ParseToml(text, file));
  const auto root = document.root();
  TRY(OnlyMembers(root, {"title", "axiom", "method", "command", "programs", "read", "limits", "pin",
                         "network", "data", "patience", "most-rounds", "settings"}));
  WorkloadDescription workload;
  workload.name = name;
  workload.source = std::string(text);
  workload.title = TRY(root["title"].String());
  workload.method = TRY(root["method"].String());
  TRY(ReadChoices(root, workload));
  workload.command = TRY(root["command"].Strings());
  workload.programs = TRY(root["programs"].Strings());
  TRY(ReadPatterns(root["read"], workload));
  workload.limits = TRY(ReadLimits(root["limits"]));
  workload.pin = TRY(root["pin"].BoolOr(false));
  workload.data = TRY(root["data"].BoolOr(false));
  workload.patience = TRY(ReadNumber(root["patience"], 120));
  if (workload.patience <= 0) return root["patience"].Expected("seconds above 0");
  if (root["most-rounds"]) workload.most_rounds = TRY(root["most-rounds"].Int32());
  if (workload.most_rounds < 0) return root["most-rounds"].Expected("a number above 0");
  TRY(root["settings"].ForEachMember([&](std::string_view setting, const json::Value& value) {
    return ReadSetting(value, std::string(setting), workload);
  }));
  return workload;
}

}  // namespace kiste::bench
