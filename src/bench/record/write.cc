// SPDX-License-Identifier: Apache-2.0
#include "bench/record/write.h"

#include <ctime>

#include "base/strings.h"

namespace kiste::bench {

namespace {

// The id of the row that `find` finds by the run and a name; nothing when there is none.
Result<std::optional<int64_t>> FindRow(Database& database, const char* find, int64_t run,
                                       const std::string& name) {
  auto statement = TRY(database.Prepare(find));
  bool found = TRY(statement.Bind(run).Bind(name).Step());
  return found ? std::optional(statement.Int(0)) : std::nullopt;
}

}  // namespace

Result<Writer> Writer::Open(const std::string& path) {
  auto database = TRY(Database::Open(path, Database::Mode::kWrite));
  return Writer(std::move(database));
}

Status Writer::BeginRun(const NewRun& run) {
  auto ask = TRY(database_.Prepare("SELECT id FROM run WHERE name = ?"));
  bool taken = TRY(ask.Bind(run.name).Step());
  if (taken) {
    return Fail(ErrorKind::kExists, StrCat(database_.path(), ": expected no run ", Quote(run.name),
                                           " yet; --resume goes on with it"));
  }
  auto insert = TRY(database_.Prepare(
      "INSERT INTO run (name, began, command, seed, rounds, version) VALUES (?, ?, ?, ?, ?, ?)"));
  insert.Bind(run.name).Bind(UtcNow(3)).Bind(run.command);
  insert.Bind(static_cast<int64_t>(run.seed)).Bind(run.rounds).Bind(run.version);
  TRY(insert.Run());
  run_ = database_.LastId();
  return {};
}

Status Writer::Resume(const std::string& name) {
  auto ask = TRY(database_.Prepare("SELECT id FROM run WHERE name = ?"));
  bool found = TRY(ask.Bind(name).Step());
  if (!found) return Fail(ErrorKind::kNotFound, StrCat(database_.path(), ": no run ", Quote(name)));
  run_ = ask.Int(0);
  return {};
}

Status Writer::AddHost(std::string_view key, std::string_view value) {
  auto insert =
      TRY(database_.Prepare("INSERT OR IGNORE INTO host (run, key, value) VALUES (?, ?, ?)"));
  return insert.Bind(run_).Bind(key).Bind(value).Run();
}

Result<int64_t> Writer::AddTarget(const NewTarget& target) {
  auto there = TRY(
      FindRow(database_, "SELECT id FROM target WHERE run = ? AND name = ?", run_, target.name));
  if (there) return *there;
  auto insert = TRY(database_.Prepare(
      "INSERT INTO target (run, ordinal, name, title, isolation, version, baseline, missing, "
      "description) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  insert.Bind(run_).Bind(target.ordinal).Bind(target.name).Bind(target.title);
  insert.Bind(target.isolation).Bind(target.version).Bind(target.baseline ? 1 : 0);
  insert.Bind(target.missing).Bind(target.description);
  TRY(insert.Run());
  return database_.LastId();
}

Result<int64_t> Writer::AddWorkload(const NewWorkload& workload) {
  auto there = TRY(FindRow(database_, "SELECT id FROM workload WHERE run = ? AND name = ?", run_,
                           workload.name));
  if (there) return *there;
  auto insert = TRY(database_.Prepare(
      "INSERT INTO workload (run, ordinal, name, title, axiom, method, missing, description) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"));
  insert.Bind(run_).Bind(workload.ordinal).Bind(workload.name).Bind(workload.title);
  insert.Bind(workload.axiom).Bind(workload.method);
  insert.Bind(workload.missing).Bind(workload.description);
  TRY(insert.Run());
  return database_.LastId();
}

Result<bool> Writer::Has(int64_t target, int64_t workload, int round) {
  auto ask = TRY(database_.Prepare(
      "SELECT 1 FROM trial WHERE run = ? AND target = ? AND workload = ? AND round = ?"));
  return ask.Bind(run_).Bind(target).Bind(workload).Bind(round).Step();
}

Status Writer::AddOutcome(int64_t trial, const Outcome& outcome) {
  auto value = TRY(database_.Prepare(
      "INSERT INTO value (trial, metric, unit, x_name, x, number) VALUES (?, ?, ?, ?, ?, ?)"));
  for (const auto& sample : outcome.samples) {
    value.Bind(trial).Bind(sample.metric).Bind(sample.unit);
    if (sample.at) {
      value.Bind(sample.at->name).Bind(sample.at->x);
    } else {
      value.BindNull().BindNull();
    }
    TRY(value.Bind(sample.number).Run());
    value.Reset();
  }
  auto finding = TRY(
      database_.Prepare("INSERT INTO finding (trial, probe, verdict, words) VALUES (?, ?, ?, ?)"));
  for (const auto& found : outcome.findings) {
    TRY(finding.Bind(trial).Bind(found.probe).Bind(found.verdict).Bind(found.words).Run());
    finding.Reset();
  }
  auto gap = TRY(database_.Prepare("INSERT INTO gap (trial, metric, why) VALUES (?, ?, ?)"));
  for (const auto& missing : outcome.gaps) {
    TRY(gap.Bind(trial).Bind(missing.metric).Bind(missing.why).Run());
    gap.Reset();
  }
  return {};
}

Status Writer::AddTrial(const NewTrial& trial, const Outcome& outcome) {
  TRY(database_.Execute("BEGIN IMMEDIATE"));
  auto add = [&]() -> Status {
    auto insert = TRY(database_.Prepare(
        "INSERT INTO trial (run, target, workload, round, ordinal, began, took_ns, status, why, "
        "stolen, others, disturbed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    insert.Bind(run_).Bind(trial.target).Bind(trial.workload).Bind(trial.round);
    insert.Bind(trial.ordinal).Bind(trial.began).Bind(static_cast<int64_t>(trial.took.count()));
    insert.Bind(trial.status);
    insert.Bind(trial.why.empty() ? std::nullopt : std::optional(trial.why));
    insert.Bind(trial.stolen).Bind(trial.others).Bind(trial.disturbed ? 1 : 0);
    TRY(insert.Run());
    return AddOutcome(database_.LastId(), outcome);
  };
  auto added = add();
  if (added) return database_.Execute("COMMIT");
  static_cast<void>(database_.Execute("ROLLBACK"));
  return added;
}

Status Writer::EndRun() {
  auto update = TRY(database_.Prepare("UPDATE run SET ended = ? WHERE id = ?"));
  return update.Bind(UtcNow(3)).Bind(run_).Run();
}

}  // namespace kiste::bench
