// SPDX-License-Identifier: Apache-2.0
//
// Each step of a sandbox's life, timed from before the command is spawned until after it has
// ended, or until the line `ready` has arrived:
//   run        the whole of a sandbox whose program ends at once
//   boot       until the program inside executes its first instructions
//   boot-cold  the same after what is read for it has been dropped from the page cache, but for
//              what a running process has mapped
//   ready      until a server inside has answered
//   create, start, exec, pause, unpause, stop, delete
#include <fcntl.h>
#include <unistd.h>

#include <csignal>

#include "base/strings.h"
#include "bench/method/method.h"
#include "sys/file.h"

namespace kiste::bench {

namespace {

double Count(Nanoseconds time) { return static_cast<double>(time.count()); }

// Nobody's data is lost by it: only clean pages go, and only this file's.
void DropFromCache(const std::string& path) {
  auto file = sys::Open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (!file) return;
  fdatasync(file->get());
  posix_fadvise(file->get(), 0, 0, POSIX_FADV_DONTNEED);
}

// What the target reads, and the program inside.
Status DropWhatIsRead(const Trial& trial) {
  const auto* root = TRY(trial.roots.Get(trial.workload.programs));
  auto files = trial.target.FilesRead();
  files.insert(files.end(), {root->path + "/load", root->load});
  for (const auto& file : files) DropFromCache(file);
  return {};
}

Status TimeRun(const Trial& trial, Outcome& outcome) {
  auto instance = TRY(trial.Make({"{load}", "nothing"}));
  auto took = TRY(instance.Do(Verb::kRun));
  outcome.Add("lifecycle/run", "ns", Count(took));
  if (instance.Can(Verb::kDelete) && !trial.target.description().bundle)
    static_cast<void>(instance.Do(Verb::kDelete));
  return {};
}

Status TimeBoot(const Trial& trial, const char* metric, Outcome& outcome) {
  auto instance = TRY(trial.Make({"{load}", "now"}));
  auto took = TRY(instance.Boot());
  outcome.Add(metric, "ns", Count(took));
  return {};
}

Status TimeReady(const Trial& trial, Outcome& outcome) {
  auto instance = TRY(trial.Make({"{load}", "serve"}));
  auto start = TRY(instance.For(Verb::kRun));
  auto running = TRY(Running::Begin(start));
  TRY(running.WaitForLine("ready", instance.Patience()));
  outcome.Add("lifecycle/ready", "ns", Count(Clock::now() - running.began()));
  if (instance.Can(Verb::kStop)) {
    TRY(instance.Do(Verb::kStop));
  } else {
    running.Signal(SIGTERM);
  }
  static_cast<void>(running.Wait(Deadline::In(std::chrono::seconds(5))));
  if (instance.Can(Verb::kDelete)) static_cast<void>(instance.Do(Verb::kDelete));
  return {};
}

Status TimeStep(Instance& instance, Verb verb, const Words& command, Outcome& outcome) {
  auto took = TRY(instance.Do(verb, command));
  outcome.Add(StrCat("lifecycle/", VerbName(verb)), "ns", Count(took));
  return {};
}

// create and start by themselves, then what can be done to a running one.
Status TimeStay(const Trial& trial, Outcome& outcome) {
  auto instance = TRY(trial.Make({"{load}", "sleep"}));
  bool in_steps = instance.Can(Verb::kCreate) && instance.Can(Verb::kStart);
  if (in_steps) {
    auto [create, start] = TRY(instance.UpInSteps());
    outcome.Add("lifecycle/create", "ns", Count(create));
    outcome.Add("lifecycle/start", "ns", Count(start));
  } else {
    TRY(instance.Up());
  }
  if (instance.Can(Verb::kExec))
    TRY(TimeStep(instance, Verb::kExec, {"{load}", "nothing"}, outcome));
  if (instance.Can(Verb::kPause) && instance.Can(Verb::kUnpause)) {
    TRY(TimeStep(instance, Verb::kPause, {}, outcome));
    TRY(TimeStep(instance, Verb::kUnpause, {}, outcome));
  }
  auto [stop, remove] = TRY(instance.DownInSteps());
  outcome.Add("lifecycle/stop", "ns", Count(stop));
  if (instance.Can(Verb::kDelete)) outcome.Add("lifecycle/delete", "ns", Count(remove));
  return {};
}

}  // namespace

Result<Outcome> MeasureLifecycle(const Trial& trial) {
  Outcome outcome;
  auto repeats = static_cast<int>(trial.workload.Number("repeats", 3));
  for (int i = 0; i < repeats; ++i) {
    TRY(TimeRun(trial, outcome));
    TRY(TimeBoot(trial, "lifecycle/boot", outcome));
    TRY(TimeReady(trial, outcome));
    TRY(TimeStay(trial, outcome));
    TRY(DropWhatIsRead(trial));
    TRY(TimeBoot(trial, "lifecycle/boot-cold", outcome));
  }
  for (auto verb :
       {Verb::kCreate, Verb::kStart, Verb::kExec, Verb::kPause, Verb::kUnpause, Verb::kDelete}) {
    if (!trial.target.description().commands.contains(verb))
      outcome.gaps.push_back(
          {StrCat("lifecycle/", VerbName(verb)), "the target has no such command"});
  }
  return outcome;
}

}  // namespace kiste::bench
