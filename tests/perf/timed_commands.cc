// SPDX-License-Identifier: Apache-2.0
// The cases that take time: run, exec, the life cycle command by command, throughput.
#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <thread>

#include "measurement.h"

namespace kiste::perf {
namespace {

constexpr useconds_t kIdleness = 100'000;

enum class Idle { kNo, kYes };

void BeIdle(Idle idle) {
  if (idle == Idle::kYes) usleep(kIdleness);
}

const char* Suffix(Idle idle) { return idle == Idle::kYes ? "-idle" : ""; }

const char* Words(Idle idle) {
  return idle == Idle::kYes ? ", each after 100 ms of idleness" : ", back to back";
}

class Run : public Measurement {
 public:
  Run(Workshop& workshop, Idle idle, Filter filter)
      : workshop_(workshop), idle_(idle), filter_(filter) {}

  std::vector<Metric> Metrics() const override {
    const bool seccomp = filter_ == Filter::kSeccomp;
    const std::string name = std::string("run") + (seccomp ? "-seccomp" : "") + Suffix(idle_);
    const std::string what =
        seccomp ? "run busybox true under podman's seccomp profile (floor: no filter)"
                : "run busybox true";
    return {{name, "ms", Better::kLower, what + Words(idle_)}};
  }
  bool Supports(const Target& target) const override {
    return target.Can(Verb::kRun) && (filter_ == Filter::kNone || target.CanFilter());
  }
  Result<std::vector<double>> Sample(const Target& target) override {
    const Container container = TRY(workshop_.MakeContainer(target, 0, Payload::kTrue, filter_));
    const Argv command = target.Command(Verb::kRun, container);
    CommandRunner runner = TRY(CommandRunner::Make());
    BeIdle(idle_);
    return std::vector{TRY(runner.Run(command))};
  }

 private:
  Workshop& workshop_;
  Idle idle_;
  Filter filter_;
};

// Into a container that each target keeps running during the case.
class Exec : public Measurement {
 public:
  Exec(Workshop& workshop, Idle idle) : workshop_(workshop), idle_(idle) {}

  std::vector<Metric> Metrics() const override {
    return {{std::string("exec") + Suffix(idle_), "ms", Better::kLower,
             std::string("exec busybox true in a running container") + Words(idle_)}};
  }
  bool Supports(const Target& target) const override { return target.Can(Verb::kExec); }
  Result<void> Prepare(const Target& target) override {
    Container container = TRY(workshop_.MakeContainer(target, 0, Payload::kSleep));
    container.exec_payload = PayloadCommand(Payload::kTrue);
    CommandRunner runner = TRY(CommandRunner::Make());
    TRY(workshop_.Launch(target, container, runner));
    containers_[target.Name()] = container;
    return {};
  }
  Result<std::vector<double>> Sample(const Target& target) override {
    const Argv command = target.Command(Verb::kExec, containers_.at(target.Name()));
    CommandRunner runner = TRY(CommandRunner::Make());
    BeIdle(idle_);
    return std::vector{TRY(runner.Run(command))};
  }
  Result<void> Finish(const Target& target) override {
    CommandRunner runner = TRY(CommandRunner::Make());
    TRY(workshop_.End(target, containers_.at(target.Name()), runner));
    return {};
  }

 private:
  Workshop& workshop_;
  Idle idle_;
  std::map<std::string, Container> containers_;
};

class LifeCycle : public Measurement {
 public:
  explicit LifeCycle(Workshop& workshop) : workshop_(workshop) {}

  std::vector<Metric> Metrics() const override {
    const auto metric = [](const char* name, const char* meaning) {
      return Metric{name, "ms", Better::kLower, meaning};
    };
    return {metric("create", "create a container of busybox sleep (one life after another)"),
            metric("start", "start it"),
            metric("state", "ask for its state (floor: a static program that only starts)"),
            metric("pause", "pause it"),
            metric("resume", "resume it"),
            metric("kill", "send it SIGKILL"),
            metric("delete", "delete it after its end")};
  }
  bool Supports(const Target& target) const override { return target.Can(Verb::kCreate); }
  Result<std::vector<double>> Sample(const Target& target) override {
    Container container = TRY(workshop_.MakeContainer(target, 0, Payload::kSleep));
    CommandRunner runner = TRY(CommandRunner::Make());
    const auto begun = TRY(workshop_.Launch(target, container, runner));
    const double state = TRY(runner.Run(target.Command(Verb::kState, container)));
    const double pause = TRY(runner.Run(target.Command(Verb::kPause, container)));
    const double resume = TRY(runner.Run(target.Command(Verb::kResume, container)));
    const auto ended = TRY(workshop_.End(target, container, runner));
    return std::vector{begun.create, begun.start, state, pause, resume, ended.kill, ended.remove};
  }

 private:
  Workshop& workshop_;
};

class Throughput : public Measurement {
 public:
  Throughput(Workshop& workshop, int workers) : workshop_(workshop), workers_(workers) {}

  std::vector<Metric> Metrics() const override {
    const std::string count = std::to_string(workers_);
    return {{"throughput-" + count, "1/s", Better::kHigher,
             "containers per second (run busybox true), " + count +
                 (workers_ == 1 ? " worker" : " workers")}};
  }
  int Rounds(int asked) const override { return std::max(1, asked / 3); }
  bool Supports(const Target& target) const override { return target.Can(Verb::kRun); }

  Result<std::vector<double>> Sample(const Target& target) override {
    std::vector<Worker> crew;
    for (int slot = 0; slot < workers_; ++slot) {
      const Container container = TRY(workshop_.MakeContainer(target, slot, Payload::kTrue));
      crew.push_back({TRY(CommandRunner::Make()), target.Command(Verb::kRun, container), {}});
    }
    const int each = std::max(4, 24 / workers_);
    std::barrier<> together(workers_ + 1);
    std::vector<std::jthread> threads;
    threads.reserve(crew.size());
    for (Worker& worker : crew) {
      threads.emplace_back([&worker, &together, each] {
        together.arrive_and_wait();
        for (int i = 0; i < each && worker.result; ++i)
          worker.result = worker.runner.Run(worker.command);
      });
    }
    together.arrive_and_wait();
    const auto begin = std::chrono::steady_clock::now();
    for (std::jthread& thread : threads) thread.join();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    for (const Worker& worker : crew) TRY(worker.result);
    return std::vector{each * workers_ / elapsed.count()};
  }

 private:
  struct Worker {
    CommandRunner runner;
    Argv command;
    Result<double> result;
  };
  Workshop& workshop_;
  int workers_;
};

}  // namespace

void AddTimedCommands(Workshop& workshop, std::vector<std::unique_ptr<Measurement>>& out) {
  for (const Filter filter : {Filter::kNone, Filter::kSeccomp}) {
    for (const Idle idle : {Idle::kNo, Idle::kYes})
      out.push_back(std::make_unique<Run>(workshop, idle, filter));
  }
  for (const Idle idle : {Idle::kNo, Idle::kYes})
    out.push_back(std::make_unique<Exec>(workshop, idle));
  out.push_back(std::make_unique<LifeCycle>(workshop));
  for (const int workers : {1, 2, 4, 8})
    out.push_back(std::make_unique<Throughput>(workshop, workers));
}

}  // namespace kiste::perf
