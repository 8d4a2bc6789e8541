// SPDX-License-Identifier: Apache-2.0
#include "bench/run/run.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "base/strings.h"
#include "bench/record/read.h"
#include "cli/bench/command.h"
#include "cli/bench/files.h"
#include "cli/bench/program.h"
#include "sys/file.h"

namespace kiste::cli::bench {

namespace {

using kiste::bench::RunRequest;

constexpr Option kOptions[] = {
    {"targets", 't', "NAMES", "targets, with commas between them (default: all that are here)"},
    {"workloads", 'w', "NAMES", "workloads (default: all)"},
    {"rounds", 'r', "N", "how often each pair is measured (default 5)"},
    {"no-warm-up", 0, nullptr, "without a first round that is not counted"},
    {"record", 0, "FILE", "the SQLite file (default kiste-bench.sqlite)"},
    {"name", 0, "NAME", "the run's name (default: the time)"},
    {"resume", 0, "NAME", "go on with an interrupted run, with all that it was asked for"},
    {"seed", 0, "N", "of the order of trials and of neighbours within one (default: drawn)"},
    {"folder", 0, "DIR",
     "where the run's files are, and what is measured of disks (default /var/tmp)"},
    {"set", 0, "WORKLOAD.SETTING=VALUES",
     "a setting for this run: density.instances=500; most-rounds=0 lets a workload take part in "
     "all rounds"},
    {"descriptions", 0, "DIR", "a folder with targets/ and workloads/ of your own"},
};

Status CheckName(const std::string& name) {
  auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  if (!name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), good)) return {};
  return Invalid(StrCat("--name: expected up to 64 letters, digits, - and _, found ", Quote(name)));
}

std::string NameOfNow() {
  std::string name = UtcNow(0);  // 2026-01-02T03:04:05Z
  std::erase(name, ':');
  return name;
}

// The same target twice is a comparison of it with itself: the second has another name.
void NameApart(std::vector<kiste::bench::TargetDescription>& targets) {
  for (size_t at = 0; at < targets.size(); ++at) {
    int seen = 1;
    for (size_t before = 0; before < at; ++before)
      seen += targets[before].name == targets[at].name ? 1 : 0;
    if (seen > 1) targets[at].name += StrCat("#", seen);
  }
}

Status ReadDescriptions(const Arguments& arguments, const Files& files, RunRequest& request) {
  auto targets = Names(arguments.Value("targets"));
  if (targets.empty()) targets = TRY(files.TargetNames());
  for (const auto& name : targets) request.targets.push_back(TRY(files.Target(name)));
  NameApart(request.targets);
  auto workloads = Names(arguments.Value("workloads"));
  if (workloads.empty()) workloads = TRY(files.WorkloadNames());
  for (const auto& name : workloads) {
    auto workload = TRY(files.Workload(name));
    auto same = [&](const auto& other) { return other.name == workload.name; };
    if (std::any_of(request.workloads.begin(), request.workloads.end(), same))
      return Invalid(StrCat("--workloads: expected each once, found ", Quote(name), " twice"));
    request.workloads.push_back(std::move(workload));
  }
  return {};
}

constexpr int kMostRounds = 10000;

// How the record keeps a setting, behind the workload's text.
constexpr std::string_view kSetting = "# --set ";

// WORKLOAD.SETTING=VALUE[,VALUE…]: numbers where all are, else texts.
Status ApplySetting(const std::string& text, RunRequest& request) {
  size_t dot = text.find('.'), equals = text.find('=');
  if (dot == std::string::npos || equals == std::string::npos || equals < dot)
    return Invalid(StrCat("--set: expected WORKLOAD.SETTING=VALUES, found ", Quote(text)));
  auto name = text.substr(0, dot), setting = text.substr(dot + 1, equals - dot - 1);
  auto at = std::find_if(request.workloads.begin(), request.workloads.end(),
                         [&name](const auto& workload) { return workload.name == name; });
  if (at == request.workloads.end())
    return Invalid(StrCat("--set: expected a workload of this run, found ", Quote(name)));
  std::vector<double> numbers;
  auto words = Names(text.substr(equals + 1));
  for (const auto& word : words) {
    if (auto number = ParseInt(word)) numbers.push_back(static_cast<double>(*number));
  }
  if (words.empty()) return Invalid(StrCat("--set: expected values, found ", Quote(text)));
  at->source += StrCat("\n", kSetting, text, "\n");
  if (setting == "most-rounds") {
    if (words.size() != 1 || numbers.size() != 1 || numbers[0] < 0 || numbers[0] > kMostRounds)
      return Invalid(StrCat("--set: most-rounds: expected up to ", kMostRounds,
                            " rounds, or 0 for all, found ", Quote(text)));
    at->most_rounds = static_cast<int>(numbers[0]);
    return {};
  }
  at->numbers.erase(setting);
  at->words.erase(setting);
  if (numbers.size() == words.size()) {
    at->numbers[setting] = numbers;
  } else {
    at->words[setting] = words;
  }
  return {};
}

// An interrupted run goes on with what its record says that it measures.
Status TakeOver(const Arguments& arguments, const Files& files, RunRequest& request) {
  using kiste::bench::Database;
  for (const char* of_the_run :
       {"targets", "workloads", "rounds", "no-warm-up", "name", "seed", "set", "descriptions"}) {
    if (arguments.Has(of_the_run))
      return Invalid(StrCat("--", of_the_run, ": expected none with --resume, found one"));
  }
  auto database = TRY(Database::Open(request.record, Database::Mode::kRead));
  auto run = TRY(kiste::bench::ReadRun(database, request.name));
  request.rounds = run.rounds;
  request.seed = run.seed;
  request.warm_up = run.warm_up;
  for (const auto& recorded : run.targets) {
    auto name = recorded.name.substr(0, recorded.name.find('#'));
    request.targets.push_back(
        name.starts_with(Files::kOci)
            ? TRY(files.Target(name))
            : TRY(kiste::bench::ParseTarget(recorded.description, name, request.record)));
    request.targets.back().name = recorded.name;
  }
  for (const auto& recorded : run.workloads) {
    request.workloads.push_back(
        TRY(kiste::bench::ParseWorkload(recorded.description, recorded.name, request.record)));
    for (auto line : Split(recorded.description, '\n')) {
      if (line.starts_with(kSetting))
        TRY(ApplySetting(std::string(line.substr(kSetting.size())), request));
    }
  }
  return {};
}

uint64_t DrawnSeed() {
  timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_nsec) ^ (static_cast<uint64_t>(now.tv_sec) << 20);
}

Status ReadNumbers(const Arguments& arguments, RunRequest& request) {
  auto rounds = TRY(arguments.Number("rounds", 5));
  if (rounds < 1 || rounds > kMostRounds)
    return Invalid(StrCat("--rounds: expected 1 to ", kMostRounds, ", found ", rounds));
  request.rounds = static_cast<int>(rounds);
  // SQLite's integers have a sign.
  request.seed = DrawnSeed() & 0x7fffffffffffffff;
  if (!arguments.Has("seed")) return {};
  auto seed = ParseUint(arguments.Value("seed"));
  if (!seed || *seed > 0x7fffffffffffffff)
    return Invalid(
        StrCat("--seed: expected a number below 2^63, found ", Quote(arguments.Value("seed"))));
  request.seed = *seed;
  return {};
}

Status ReadRequest(const Arguments& arguments, const Files& files, RunRequest& request) {
  TRY(ReadDescriptions(arguments, files, request));
  for (const auto& text : arguments.Values("set")) TRY(ApplySetting(text, request));
  request.warm_up = !arguments.Switch("no-warm-up");
  return ReadNumbers(arguments, request);
}

Result<int> Run(const Session& session) {
  const auto& arguments = session.arguments;
  auto files = TRY(Files::Find(arguments.Value("descriptions")));
  RunRequest request;
  request.resume = arguments.Has("resume");
  request.name = request.resume ? arguments.Value("resume") : arguments.Value("name", NameOfNow());
  request.record = arguments.Value("record", kDefaultRecord);
  TRY(CheckName(request.name));
  TRY(request.resume ? TakeOver(arguments, files, request)
                     : ReadRequest(arguments, files, request));
  request.parent = arguments.Value("folder", "/var/tmp");
  request.load = TRY(files.Load());
  request.command = session.command_line;
  request.version = Version();
  auto code = TRY(kiste::bench::RunTrials(request));
  std::string text = StrCat("run ", request.name, " is in ", request.record, "\n");
  if (code == 3) {
    text = StrCat("interrupted: what was measured is in ", request.record, "; go on with --resume ",
                  request.name, "\n");
  }
  if (code == 0 || code == 3) TRY(Print(text));
  return code;
}

}  // namespace

const Command kRunCommand = {"run", "", "measure targets by workloads", kOptions, 0, 0, Run};

}  // namespace kiste::cli::bench
