// SPDX-License-Identifier: Apache-2.0
#include "bench/run/run.h"

#include <cstdio>
#include <ctime>
#include <memory>

#include "base/strings.h"
#include "bench/method/method.h"
#include "bench/record/write.h"
#include "bench/run/host.h"
#include "bench/run/noise.h"
#include "bench/run/order.h"
#include "bench/run/progress.h"

namespace kiste::bench {

namespace {

constexpr int kInterruptedCode = 3;

// A run inside its room.
class Runner {
 public:
  Runner(const RunRequest& request, const Room& room, const HostFacts& host, Writer writer)
      : request_(request),
        room_(room),
        host_(host),
        writer_(std::move(writer)),
        roots_(room.folder, request.load),
        progress_(request.targets.size() * request.workloads.size() *
                  static_cast<size_t>(request.rounds + (request.warm_up ? 1 : 0))) {}

  Result<int> Run() {
    TRY(Enter());
    for (int round = request_.warm_up ? 0 : 1; round <= request_.rounds; ++round) {
      auto order =
          DrawOrder(request_.targets.size(), request_.workloads.size(), request_.seed, round);
      for (const auto& place : order) {
        if (Interrupted()) break;
        TRY(RunOne(place, round));
      }
    }
    progress_.Close();
    // In the reverse order of their making, while what they lean on is there.
    while (!targets_.empty()) targets_.pop_back();
    if (Interrupted()) return kInterruptedCode;
    TRY(writer_.EndRun());
    return 0;
  }

 private:
  struct Row {
    int64_t id = 0;
    bool missing = false;
  };

  // Targets, workloads and the host into the record.
  Status Enter() {
    for (const auto& [key, value] : host_) TRY(writer_.AddHost(key, value));
    int ordinal = 0;
    for (const auto& description : request_.targets) {
      auto made = Target::Make(description, room_);
      NewTarget row = {.ordinal = ordinal++,
                       .name = description.name,
                       .title = description.title,
                       .isolation = description.isolation,
                       .version = made ? (*made)->Version() : "",
                       .baseline = ordinal == Baseline() + 1,
                       .description = description.source};
      if (!made) row.missing = made.error().Text();
      auto id = TRY(writer_.AddTarget(row));
      target_rows_.push_back({id, !made});
      targets_.push_back(made ? std::move(*made) : nullptr);
    }
    ordinal = 0;
    for (const auto& workload : request_.workloads) {
      auto why = WhyMissing(workload);
      NewWorkload row = {.ordinal = ordinal++,
                         .name = workload.name,
                         .title = workload.title,
                         .axiom = workload.axiom,
                         .method = workload.method,
                         .description = workload.source};
      if (!why.empty()) row.missing = why;
      auto id = TRY(writer_.AddWorkload(row));
      workload_rows_.push_back({id, !why.empty()});
    }
    return {};
  }

  // `bare` where it takes part, else the first.
  int Baseline() const {
    for (size_t at = 0; at < request_.targets.size(); ++at) {
      if (request_.targets[at].name == "bare") return static_cast<int>(at);
    }
    return 0;
  }

  Status RunOne(const Place& place, int round) {
    const auto& target = target_rows_[place.target];
    const auto& workload = workload_rows_[place.workload];
    int most = request_.workloads[place.workload].most_rounds;
    bool enough = most > 0 && (round > most || round == 0);
    bool recorded = TRY(writer_.Has(target.id, workload.id, round));
    if (enough || recorded || target.missing || workload.missing) {
      progress_.Skip();
      return {};
    }
    const auto& description = request_.workloads[place.workload];
    progress_.Begin(request_.targets[place.target].name, description.name, round);
    NewTrial row = {.target = target.id,
                    .workload = workload.id,
                    .round = round,
                    .ordinal = ordinal_++,
                    .began = UtcNow(3)};
    auto watch = TRY(NoiseWatch::Begin(room_.cgroup));
    auto began = Clock::now();
    auto outcome = Measure(*targets_[place.target], description, round);
    row.took = Clock::now() - began;
    auto noise = TRY(watch.End());
    row.stolen = noise.stolen;
    row.others = noise.others;
    row.disturbed = noise.Disturbs();
    ReapOrphans();
    if (!outcome && Interrupted()) return {};
    row.status = outcome                                           ? "ok"
                 : outcome.error().kind == ErrorKind::kUnsupported ? "cannot"
                                                                   : "failed";
    if (!outcome) row.why = outcome.error().Text();
    progress_.End(row.took, row.status, row.why);
    return writer_.AddTrial(row, outcome ? *outcome : Outcome());
  }

  Result<Outcome> Measure(Target& target, const WorkloadDescription& workload, int round) {
    TRY(target.Prepare());
    auto outcome =
        TRY(FindMethod(workload.method)
                ->run({room_, target, workload, roots_, RoundSeed(request_.seed, round)}));
    if (workload.pin && !target.CanPin())
      outcome.gaps.push_back(
          {"pin", "the target cannot be kept on one processor, as the others are"});
    return outcome;
  }

  const RunRequest& request_;
  const Room& room_;
  const HostFacts& host_;
  Writer writer_;
  Roots roots_;
  Progress progress_;
  std::vector<std::unique_ptr<Target>> targets_;
  std::vector<Row> target_rows_, workload_rows_;
  int ordinal_ = 0;
};

Result<int> RunInRoom(const RunRequest& request, const Room& room, const HostFacts& host) {
  CatchInterruptions();
  auto writer = TRY(Writer::Open(request.record));
  if (request.resume) {
    TRY(writer.Resume(request.name));
  } else {
    TRY(writer.BeginRun({.name = request.name,
                         .command = request.command,
                         .version = request.version,
                         .seed = request.seed,
                         .rounds = request.rounds}));
  }
  Runner runner(request, room, host, std::move(writer));
  return runner.Run();
}

}  // namespace

std::string WhyMissing(const TargetDescription& target) {
  auto there = CheckNeeds(target);
  return there ? "" : there.error().Text();
}

std::string WhyMissing(const WorkloadDescription& workload) {
  if (FindMethod(workload.method) == nullptr)
    return StrCat("method: expected a known one, found ", Quote(workload.method));
  for (const auto& program : workload.programs) {
    if (auto found = FindProgram(program); !found) return found.error().Text();
  }
  return {};
}

Result<int> RunTrials(const RunRequest& request) {
  // Seen from outside: in the room some of it is hidden.
  auto host = DescribeHost(request.parent);
  return InRoom(request.name, request.parent, [&request, &host](const Room& room) {
    auto code = RunInRoom(request, room, host);
    if (code) return *code;
    fprintf(stderr, "kiste-bench: %s\n", code.error().Text().c_str());
    return 1;
  });
}

}  // namespace kiste::bench
