// SPDX-License-Identifier: Apache-2.0
#include "bench/report/compare.h"

#include "base/strings.h"
#include "cli/bench/command.h"

namespace kiste::cli::bench {

namespace {

constexpr int kDifferentCode = 4, kUndecidedCode = 5;

constexpr Option kOptions[] = {
    {"record", 0, "FILE", "the SQLite file (default kiste-bench.sqlite)"},
    {"other-record", 0, "FILE", "where the second run is, if elsewhere"},
    {"targets", 't', "A,B", "two targets of one run instead of two runs"},
    {"workloads", 'w', "NAMES", "what these measured alone (default: all)"},
    {"json", 0, nullptr, "as JSON"},
    {"exit-code", 0, nullptr,
     "end with code 4 when there are real differences, 5 when no metric could be decided"},
};

Result<kiste::bench::RecordedRun> ReadRunFrom(const std::string& record, const std::string& name,
                                              const Arguments& arguments) {
  using kiste::bench::Database;
  auto database = TRY(Database::Open(record, Database::Mode::kRead));
  auto run = TRY(kiste::bench::ReadRun(database, name));
  auto workloads = Names(arguments.Value("workloads"));
  if (!workloads.empty()) TRY_CONTEXT(kiste::bench::KeepWorkloads(run, workloads), "--workloads");
  return run;
}

Result<kiste::bench::Comparison> MakeComparison(const Arguments& arguments) {
  const auto& names = arguments.positional();
  auto record = arguments.Value("record", kDefaultRecord);
  auto first = TRY(ReadRunFrom(record, names[0], arguments));
  if (arguments.Has("targets")) {
    auto text = arguments.Value("targets");
    auto targets = Split(text, ',');
    if (targets.size() != 2 || names.size() != 1) {
      return Invalid(StrCat("--targets: expected two names and one run, found ", Quote(text),
                            " and ", names.size()));
    }
    return kiste::bench::CompareTargets(first, std::string(targets[0]), std::string(targets[1]));
  }
  if (names.size() != 2) return Invalid("expected two runs, or one and --targets=A,B");
  auto second = TRY(ReadRunFrom(arguments.Value("other-record", record), names[1], arguments));
  if (first.targets.empty() || second.targets.empty()) return Invalid("expected runs with targets");
  return kiste::bench::CompareRuns(first, second);
}

Result<int> Compare(const Session& session) {
  auto comparison = TRY(MakeComparison(session.arguments));
  TRY(Print(session.arguments.Switch("json") ? kiste::bench::JsonComparison(comparison)
                                             : kiste::bench::TerminalComparison(comparison)));
  if (!session.arguments.Switch("exit-code")) return 0;
  return comparison.any() ? kDifferentCode : comparison.decided() ? 0 : kUndecidedCode;
}

}  // namespace

const Command kCompareCommand = {"compare",
                                 "<run> [run]",
                                 "which differences between two runs, or two targets, are real",
                                 kOptions,
                                 1,
                                 2,
                                 Compare};

}  // namespace kiste::cli::bench
