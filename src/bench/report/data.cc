// SPDX-License-Identifier: Apache-2.0
//
// JSON with everything that a run says; CSV with a line for each sample (RFC 4180).
#include <charconv>

#include "base/json.h"
#include "base/strings.h"
#include "bench/report/report.h"

namespace kiste::bench {

namespace {

template <typename Writer>
void WriteEstimate(Writer& writer, const char* name, const Estimate& estimate) {
  json::Key(writer, name);
  writer.StartObject();
  json::Member(writer, "median", estimate.median);
  json::Member(writer, "low", estimate.interval.low);
  json::Member(writer, "high", estimate.interval.high);
  writer.EndObject();
}

template <typename Writer>
void WriteRows(Writer& writer, const RecordedRun& run) {
  json::Key(writer, "host");
  writer.StartObject();
  for (const auto& [key, value] : run.host) json::Member(writer, key, value);
  writer.EndObject();
  json::Key(writer, "targets");
  writer.StartArray();
  for (const auto& target : run.targets) {
    writer.StartObject();
    json::Member(writer, "name", target.name);
    json::Member(writer, "title", target.title);
    json::Member(writer, "isolation", target.isolation);
    json::Member(writer, "version", target.version);
    json::Member(writer, "baseline", target.baseline);
    if (target.missing) json::Member(writer, "missing", *target.missing);
    writer.EndObject();
  }
  writer.EndArray();
  json::Key(writer, "workloads");
  writer.StartArray();
  for (const auto& workload : run.workloads) {
    writer.StartObject();
    json::Member(writer, "name", workload.name);
    json::Member(writer, "title", workload.title);
    json::Member(writer, "axiom", workload.axiom);
    json::Member(writer, "method", workload.method);
    if (workload.missing) json::Member(writer, "missing", *workload.missing);
    writer.EndObject();
  }
  writer.EndArray();
}

template <typename Writer>
void WriteCell(Writer& writer, const RecordedRun& run, size_t target, const Cell& cell) {
  writer.StartObject();
  json::Member(writer, "target", run.targets[target].name);
  WriteEstimate(writer, "value", cell.value);
  if (cell.ratio) WriteEstimate(writer, "ratio", *cell.ratio);
  json::Key(writer, "rounds");
  writer.StartArray();
  for (const auto& [round, value] : cell.rounds) writer.Double(value);
  writer.EndArray();
  json::Member(writer, "samples", static_cast<uint64_t>(cell.samples));
  json::Member(writer, "outliers", cell.outliers);
  json::Member(writer, "disturbed", cell.disturbed);
  writer.EndObject();
}

template <typename Writer>
void WriteFigures(Writer& writer, const RecordedRun& run,
                  const std::vector<const Figure*>& figures) {
  json::Key(writer, "figures");
  writer.StartArray();
  for (const auto* each : figures) {
    const auto& figure = *each;
    writer.StartObject();
    json::Member(writer, "workload", run.workloads[figure.workload].name);
    json::Member(writer, "metric", figure.metric);
    json::Member(writer, "unit", figure.unit);
    if (figure.at) {
      json::Member(writer, "x_name", figure.at->name);
      json::Member(writer, "x", figure.at->x);
    }
    json::Key(writer, "targets");
    writer.StartArray();
    for (const auto& [target, cell] : figure.cells) WriteCell(writer, run, target, cell);
    writer.EndArray();
    json::Member(writer, "query", QueryOf(run, figure));
    writer.EndObject();
  }
  writer.EndArray();
}

template <typename Writer>
void WriteFindings(Writer& writer, const RecordedRun& run) {
  json::Key(writer, "findings");
  writer.StartArray();
  for (const auto& row : MakeProbeRows(run)) {
    for (const auto& [target, finding] : row.by_target) {
      writer.StartObject();
      json::Member(writer, "workload", run.workloads[row.workload].name);
      json::Member(writer, "probe", row.probe);
      json::Member(writer, "target", run.targets[target].name);
      json::Member(writer, "verdict", finding.verdict);
      json::Member(writer, "words", finding.words);
      writer.EndObject();
    }
  }
  writer.EndArray();
  json::Key(writer, "missing");
  writer.StartArray();
  for (const auto& missing : MakeMissing(run)) {
    writer.StartObject();
    json::Member(writer, "target", missing.target);
    json::Member(writer, "workload", missing.workload);
    json::Member(writer, "metric", missing.metric);
    json::Member(writer, "why", missing.why);
    json::Member(writer, "times", missing.times);
    writer.EndObject();
  }
  writer.EndArray();
}

template <typename Writer>
void WriteRun(Writer& writer, const RecordedRun& run, const std::vector<const Figure*>& figures) {
  writer.StartObject();
  json::Member(writer, "run", run.name);
  json::Member(writer, "began", run.began);
  json::Member(writer, "ended", run.ended);
  json::Member(writer, "command", run.command);
  json::Member(writer, "version", run.version);
  json::Member(writer, "seed", run.seed);
  json::Member(writer, "rounds", run.rounds);
  json::Member(writer, "confidence", kConfidence);
  json::Member(writer, "fewest_for_interval", static_cast<uint64_t>(kFewestForInterval));
  WriteRows(writer, run);
  WriteFigures(writer, run, figures);
  WriteFindings(writer, run);
  writer.EndObject();
}

std::string Field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string Exact(double number) {
  char text[64];
  auto [end, error] = std::to_chars(text, text + sizeof text, number);
  return error == std::errc() ? std::string(text, end) : "";
}

}  // namespace

std::string JsonReport(const RecordedRun& run) {
  auto figures = MakeFigures(run);
  std::vector<const Figure*> all;
  for (const auto& figure : figures) all.push_back(&figure);
  json::Buffer buffer;
  json::PrettyWriter writer(buffer);
  writer.SetIndent(' ', 1);
  WriteRun(writer, run, all);
  return StrCat(buffer.GetString(), "\n");
}

std::string JsonOf(const RecordedRun& run, const std::vector<const Figure*>& figures) {
  json::Buffer buffer;
  json::CompactWriter writer(buffer);
  WriteRun(writer, run, figures);
  return buffer.GetString();
}

std::string CsvReport(const RecordedRun& run) {
  std::string text = "run,target,workload,round,disturbed,metric,unit,x_name,x,number\r\n";
  for (const auto& trial : run.trials) {
    for (const auto& sample : trial.outcome.samples) {
      text += StrCat(Field(run.name), ",", Field(run.targets[trial.target].name), ",",
                     Field(run.workloads[trial.workload].name), ",", trial.round, ",",
                     trial.disturbed ? 1 : 0, ",");
      text += StrCat(Field(sample.metric), ",", Field(sample.unit), ",",
                     sample.at ? Field(sample.at->name) : "", ",",
                     sample.at ? Exact(sample.at->x) : "", ",", Exact(sample.number), "\r\n");
    }
  }
  return text;
}

}  // namespace kiste::bench
