// SPDX-License-Identifier: Apache-2.0
#include "bench/record/read.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/strings.h"

namespace kiste::bench {

namespace {

Status ReadHost(Database& database, RecordedRun& run) {
  auto ask = TRY(database.Prepare("SELECT key, value FROM host WHERE run = ? ORDER BY rowid"));
  ask.Bind(run.id);
  while (TRY(ask.Step())) run.host.emplace_back(ask.Text(0), ask.Text(1));
  return {};
}

Status ReadTargets(Database& database, RecordedRun& run) {
  auto ask =
      TRY(database.Prepare("SELECT id, name, title, isolation, version, baseline, missing, "
                           "description FROM target WHERE run = ? "
                           "ORDER BY ordinal"));
  ask.Bind(run.id);
  while (TRY(ask.Step())) {
    run.targets.push_back({.id = ask.Int(0),
                           .name = ask.Text(1),
                           .title = ask.Text(2),
                           .isolation = ask.Text(3),
                           .version = ask.Text(4),
                           .baseline = ask.Int(5) != 0,
                           .missing = ask.OptionalText(6),
                           .description = ask.Text(7)});
  }
  return {};
}

Status ReadWorkloads(Database& database, RecordedRun& run) {
  auto ask = TRY(
      database.Prepare("SELECT id, name, title, axiom, method, missing, description FROM workload "
                       "WHERE run = ? ORDER BY ordinal"));
  ask.Bind(run.id);
  while (TRY(ask.Step())) {
    run.workloads.push_back({.id = ask.Int(0),
                             .name = ask.Text(1),
                             .title = ask.Text(2),
                             .axiom = ask.Text(3),
                             .method = ask.Text(4),
                             .missing = ask.OptionalText(5),
                             .description = ask.Text(6)});
  }
  return {};
}

template <typename Row>
size_t IndexOf(const std::vector<Row>& rows, int64_t id) {
  auto at = std::find_if(rows.begin(), rows.end(), [id](const Row& row) { return row.id == id; });
  return static_cast<size_t>(at - rows.begin());
}

Status ReadTrials(Database& database, RecordedRun& run) {
  auto ask = TRY(database.Prepare(
      "SELECT id, target, workload, round, took_ns, status, why, stolen, others, disturbed FROM "
      "trial WHERE run = ? AND round > 0 ORDER BY round, ordinal"));
  ask.Bind(run.id);
  while (TRY(ask.Step())) {
    run.trials.push_back({.id = ask.Int(0),
                          .target = IndexOf(run.targets, ask.Int(1)),
                          .workload = IndexOf(run.workloads, ask.Int(2)),
                          .round = static_cast<int>(ask.Int(3)),
                          .took = ask.Real(4),
                          .status = ask.Text(5),
                          .why = ask.Text(6),
                          .stolen = ask.Real(7),
                          .others = ask.Real(8),
                          .disturbed = ask.Int(9) != 0});
    if (run.trials.back().target == run.targets.size() ||
        run.trials.back().workload == run.workloads.size()) {
      return Invalid(StrCat(database.path(), ": trial ", run.trials.back().id,
                            ": expected a target and a workload of its run"));
    }
  }
  return {};
}

using ById = std::map<int64_t, RecordedTrial*>;

Status ReadValues(Database& database, const RecordedRun& run, const ById& by_id) {
  auto ask = TRY(database.Prepare(
      "SELECT trial, metric, unit, x_name, x, number FROM value JOIN trial ON trial.id = trial "
      "WHERE run = ? AND round > 0 ORDER BY value.rowid"));
  ask.Bind(run.id);
  while (TRY(ask.Step())) {
    Sample sample{ask.Text(1), ask.Text(2), std::nullopt, ask.Real(5)};
    // NaN is NULL in SQLite; infinity is a number there, and none of ours.
    if (ask.IsNull(5) || !std::isfinite(sample.number)) {
      return Invalid(StrCat(database.path(), ": trial ", ask.Int(0), ", ", sample.metric,
                            ": expected a finite number"));
    }
    if (!ask.IsNull(3)) sample.at = At{ask.Text(3), ask.Real(4)};
    by_id.at(ask.Int(0))->outcome.samples.push_back(std::move(sample));
  }
  return {};
}

Status ReadFindings(Database& database, const RecordedRun& run, const ById& by_id) {
  auto ask = TRY(database.Prepare(
      "SELECT trial, probe, verdict, words FROM finding JOIN trial ON trial.id = trial WHERE run = "
      "? AND round > 0 ORDER BY finding.rowid"));
  ask.Bind(run.id);
  while (TRY(ask.Step()))
    by_id.at(ask.Int(0))->outcome.findings.push_back({ask.Text(1), ask.Text(2), ask.Text(3)});
  auto gaps = TRY(database.Prepare(
      "SELECT trial, metric, gap.why FROM gap JOIN trial ON trial.id = trial WHERE run = ? AND "
      "round > 0 ORDER BY gap.rowid"));
  gaps.Bind(run.id);
  while (TRY(gaps.Step()))
    by_id.at(gaps.Int(0))->outcome.gaps.push_back({gaps.Text(1), gaps.Text(2)});
  return {};
}

}  // namespace

Result<std::vector<std::string>> RunNames(Database& database) {
  std::vector<std::string> names;
  auto ask = TRY(database.Prepare("SELECT name FROM run ORDER BY id"));
  while (TRY(ask.Step())) names.push_back(ask.Text(0));
  return names;
}

Result<RecordedRun> ReadRun(Database& database, const std::string& name) {
  auto ask = TRY(database.Prepare(
      "SELECT id, name, began, coalesce(ended, ''), command, version, seed, rounds, "
      "EXISTS (SELECT 1 FROM trial WHERE run = run.id AND round = 0) FROM run WHERE ?1 = '' OR "
      "name = ?1 ORDER BY id DESC LIMIT 1"));
  bool found = TRY(ask.Bind(name).Step());
  if (!found) {
    auto names = TRY(RunNames(database));
    return Fail(ErrorKind::kNotFound, StrCat(database.path(), ": expected one of the runs ",
                                             Join(names, ", "), ", found ", Quote(name)));
  }
  RecordedRun run{.id = ask.Int(0),
                  .name = ask.Text(1),
                  .began = ask.Text(2),
                  .ended = ask.Text(3),
                  .command = ask.Text(4),
                  .version = ask.Text(5),
                  .seed = static_cast<uint64_t>(ask.Int(6)),
                  .rounds = static_cast<int>(ask.Int(7)),
                  .warm_up = ask.Int(8) != 0};
  TRY(ReadHost(database, run));
  TRY(ReadTargets(database, run));
  TRY(ReadWorkloads(database, run));
  TRY(ReadTrials(database, run));
  ById by_id;
  for (auto& trial : run.trials) by_id[trial.id] = &trial;
  TRY(ReadValues(database, run, by_id));
  TRY(ReadFindings(database, run, by_id));
  return run;
}

}  // namespace kiste::bench
