// SPDX-License-Identifier: Apache-2.0
// What a run costs besides time: memory, page faults, context switches, system calls. The payload
// is runtime-nothing, so what is counted is the runtime's; that includes the container's own
// process up to its exec. wait4(2)'s rusage covers a process and those that it waited for, see
// rusage.c.
#include <algorithm>
#include <sstream>

#include "measurement.h"

namespace kiste::perf {
namespace {

// These hardly vary.
int FewRounds(int asked) { return std::max(std::min(asked, 3), asked / 5); }

// What a command took, by runtime-rusage.
struct Taken {
  double peak = 0;  // KiB: the largest of its processes
  double faults = 0;
  double switches = 0;
};

// With `orphans` what the command left behind is waited for, and counted.
Result<Taken> Take(const Workshop& workshop, const Argv& words, bool orphans) {
  const std::string file = workshop.WorkDirectory() + "/rusage";
  Argv command = {workshop.OwnDirectory() + "/runtime-rusage"};
  if (!orphans) command.emplace_back("--leave-orphans");
  command.push_back(file);
  command.insert(command.end(), words.begin(), words.end());
  CommandRunner runner = TRY(CommandRunner::Make());
  TRY(runner.Run(command));
  std::istringstream in(TRY(ReadFile(file)));
  double peak = 0, minor = 0, major = 0, voluntary = 0, involuntary = 0;
  if (!(in >> peak >> minor >> major >> voluntary >> involuntary))
    return Fail("runtime-rusage wrote no figures");
  return Taken{peak, minor + major, voluntary + involuntary};
}

class Usage : public Measurement {
 public:
  explicit Usage(Workshop& workshop) : workshop_(workshop) {}

  std::vector<Metric> Metrics() const override {
    return {{"rss", "KiB", Better::kLower,
             "peak resident memory of a run: the largest of its processes"},
            {"faults", "", Better::kLower, "page faults of a run, all its processes"},
            {"switches", "", Better::kLower, "context switches of a run, all its processes"}};
  }
  int Rounds(int asked) const override { return FewRounds(asked); }
  bool Supports(const Target& target) const override { return target.Can(Verb::kRun); }

  Result<std::vector<double>> Sample(const Target& target) override {
    const Container container = TRY(workshop_.MakeContainer(target, 0, Payload::kNothing));
    const auto taken = TRY(Take(workshop_, target.Command(Verb::kRun, container), true));
    return std::vector{taken.peak, taken.faults, taken.switches};
  }

 private:
  Workshop& workshop_;
};

// The same of each other command, in one container's life.
class Peaks : public Measurement {
 public:
  explicit Peaks(Workshop& workshop) : workshop_(workshop) {}

  std::vector<Metric> Metrics() const override {
    const auto metric = [](const char* command) {
      return Metric{std::string("rss-") + command, "KiB", Better::kLower,
                    std::string("peak resident memory of ") + command +
                        ": the largest of the processes that it waited for"};
    };
    return {metric("create"), metric("start"),  metric("exec"), metric("state"),
            metric("pause"),  metric("resume"), metric("kill"), metric("delete")};
  }
  int Rounds(int asked) const override { return FewRounds(asked); }
  bool Supports(const Target& target) const override { return target.Can(Verb::kCreate); }

  Result<std::vector<double>> Sample(const Target& target) override {
    Container container = TRY(workshop_.MakeContainer(target, 0, Payload::kSleep));
    container.exec_payload = PayloadCommand(Payload::kNothing);
    const auto peak = [this](const Argv& words) -> Result<double> {
      return TRY(Take(workshop_, words, false)).peak;
    };
    const auto begun = TRY(workshop_.Launch(target, container, peak));
    std::vector<double> peaks = {begun.create, begun.start};
    for (Verb verb : {Verb::kExec, Verb::kState, Verb::kPause, Verb::kResume})
      peaks.push_back(TRY(peak(target.Command(verb, container))));
    const auto ended = TRY(workshop_.End(target, container, peak));
    peaks.push_back(ended.kill);
    peaks.push_back(ended.remove);
    return peaks;
  }

 private:
  Workshop& workshop_;
};

class SystemCalls : public Measurement {
 public:
  explicit SystemCalls(Workshop& workshop) : workshop_(workshop) {
    if (const auto found = FindProgram("strace")) {
      strace_ = *found;
    } else {
      obstacle_ = found.error().text;
    }
  }
  std::vector<Metric> Metrics() const override {
    return {
        {"syscalls", "", Better::kLower, "system calls of a run, all its processes (strace -f)"}};
  }
  int Rounds(int asked) const override { return FewRounds(asked); }
  std::string Obstacle() const override { return obstacle_; }
  bool Supports(const Target& target) const override { return target.Can(Verb::kRun); }

  Result<std::vector<double>> Sample(const Target& target) override {
    const Container container = TRY(workshop_.MakeContainer(target, 0, Payload::kNothing));
    const std::string file = workshop_.WorkDirectory() + "/strace";
    Argv command = {strace_, "-f", "-c", "-U", "calls,name", "-o", file};
    for (const std::string& word : target.Command(Verb::kRun, container)) command.push_back(word);
    CommandRunner runner = TRY(CommandRunner::Make());
    TRY(runner.Run(command));
    // Lines of "COUNT NAME"; the last is "COUNT total".
    std::istringstream in(TRY(ReadFile(file)));
    for (std::string line; std::getline(in, line);) {
      std::istringstream words(line);
      double calls = 0;
      std::string name;
      if (words >> calls >> name && name == "total") return std::vector{calls};
    }
    return Fail("strace wrote no total");
  }

 private:
  Workshop& workshop_;
  std::string strace_;
  std::string obstacle_;
};

}  // namespace

void AddCosts(Workshop& workshop, std::vector<std::unique_ptr<Measurement>>& out) {
  out.push_back(std::make_unique<Usage>(workshop));
  out.push_back(std::make_unique<Peaks>(workshop));
  out.push_back(std::make_unique<SystemCalls>(workshop));
}

}  // namespace kiste::perf
