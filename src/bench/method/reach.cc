// SPDX-License-Identifier: Apache-2.0
//
// How much of the kernel a sandboxed program reaches, after Anjali, Caraza-Harter and Swift,
// "Blending Containers and Virtual Machines" (VEE 2020): the functions that the kernel runs, traced
// for the whole system while the machine is idle and then while an instance runs, divided by whose
// they were. [settings] idle: seconds of the one. docs/bench-reach.md.
#include <fcntl.h>

#include <thread>

#include "base/strings.h"
#include "bench/kernel/first_processes.h"
#include "bench/kernel/seccomp_of.h"
#include "bench/method/method.h"
#include "bench/method/reach_figures.h"
#include "sys/file.h"

namespace kiste::bench {

namespace {

constexpr std::chrono::milliseconds kLook{20};
constexpr int kMostLooks = 500;

uint64_t Now() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<Nanoseconds>(Clock::now().time_since_epoch()).count());
}

std::string LastPart(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// What the payload's process has executed, or begins its command line with.
std::string ProgramOf(const Trial& trial) {
  if (!trial.target.description().process.empty()) return trial.target.description().process;
  const auto& word = trial.workload.command.front();
  return LastPart(word == "{load}" ? trial.roots.load() : word);
}

// Runs it to its end, looking for the process that is the payload when no exec tells.
Result<std::vector<int>> RunAndLook(const Instance& instance, const FirstProcesses& processes,
                                    const std::string& process) {
  auto start = TRY(instance.For(Verb::kRun));
  auto running = TRY(Running::Begin(start));
  auto patience = instance.Patience();
  std::vector<int> found;
  while (true) {
    auto ended = running.WaitForSuccess(Deadline::In(kLook));
    if (ended) return found;
    if (ended.error().kind != ErrorKind::kTimeout || patience.Over())
      return std::unexpected(std::move(ended).error());
    if (!process.empty() && found.empty()) found = processes.WithProgram(process);
  }
}

// Its own exec, where it has been found by its command line, else the exec of its program.
std::vector<PayloadRoot> FindPayload(const Trace& trace, const std::vector<int>& found,
                                     const std::string& program, uint64_t began) {
  std::vector<PayloadRoot> roots;
  for (const auto& exec : trace.execs) {
    if (exec.time < began) continue;
    bool known = !found.empty() && exec.pid == found.front();
    if (known) roots.clear();  // the last one counts
    if (known || (found.empty() && LastPart(exec.file) == program))
      roots.push_back({exec.pid, exec.time});
  }
  return roots;
}

Result<pid_t> WaitForProcess(const std::string& program) {
  auto proc = TRY(sys::Open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int looks = 0; looks < kMostLooks; ++looks) {
    auto found = ProcessesWithProgram(proc.get(), program);
    if (!found.empty()) return found.front();
    std::this_thread::sleep_for(kLook);
  }
  return Fail(ErrorKind::kNotFound, StrCat("process ", program, ": not there"));
}

// What the payload's filters let through, of an instance that waits.
Status AddAllowedCalls(const Trial& trial, Outcome& outcome) {
  auto instance = TRY(trial.Make({"{load}", "sleep"}));
  TRY(instance.Up());
  const auto& process = trial.target.description().process;
  auto pid = TRY(WaitForProcess(process.empty() ? LastPart(trial.roots.load()) : process));
  auto allowed = TRY(ReadAllowedCalls(pid));
  TRY(instance.Down());
  outcome.Add("reach/allowed-syscalls", "count", allowed.whole + allowed.partly);
  outcome.Add("reach/allowed-syscalls-whole", "count", allowed.whole);
  outcome.Add("reach/known-syscalls", "count", allowed.known);
  return {};
}

Result<Outcome> Evaluate(const Trial& trial, const Tracer& tracer, const Trace& trace,
                         const std::vector<int>& found, Parties parties) {
  parties.payload = FindPayload(trace, found, ProgramOf(trial), parties.began);
  if (parties.payload.empty()) {
    std::string seen;
    for (const auto& exec : trace.execs) seen += " " + exec.file;
    return Fail(ErrorKind::kNotFound,
                StrCat("payload: expected an exec of ", ProgramOf(trial), ", found", seen));
  }
  auto symbols = TRY(Symbols::Read());
  auto division = Divide(trace, symbols, parties);
  Outcome outcome;
  if (tracer.no_functions().empty()) {
    AddReach(trace, division, symbols, outcome);
    AddReachedLines(division, symbols, outcome);
  } else {
    outcome.gaps.push_back({"reach/payload/functions", tracer.no_functions()});
  }
  outcome.Add("reach/payload/syscalls", "count", static_cast<double>(division.calls.size()));
  outcome.Add("reach/runtime/syscalls", "count",
              static_cast<double>(division.runtime_calls.size()));
  return outcome;
}

}  // namespace

Result<Outcome> MeasureReach(const Trial& trial) {
  if (trial.workload.command.empty()) return Invalid("command: expected a list of words");
  auto idle = trial.workload.Number("idle", 3);
  auto instance = TRY(trial.Make(trial.workload.command));
  auto tracer = TRY(Tracer::Make());
  TRY(tracer->Begin());
  auto processes = TRY(FirstProcesses::Open(tracer->own_pid()));
  Parties parties = {.parents = processes.Parents()};
  std::this_thread::sleep_for(std::chrono::milliseconds(static_cast<int64_t>(idle * 1000)));
  parties.began = Now();
  auto found = TRY(RunAndLook(instance, processes, trial.target.description().process));
  auto trace = TRY(tracer->End());
  auto outcome = TRY(Evaluate(trial, *tracer, trace, found, std::move(parties)));
  if (auto allowed = AddAllowedCalls(trial, outcome); !allowed)
    outcome.gaps.push_back({"reach/allowed-syscalls", allowed.error().Text()});
  return outcome;
}

}  // namespace kiste::bench
