// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <filesystem>

#include "base/strings.h"
#include "bench/target/target.h"

namespace kiste::bench {

Instance::Instance(Instance&& other) noexcept
    : target_(std::exchange(other.target_, nullptr)),
      id_(std::move(other.id_)),
      data_(std::move(other.data_)),
      bundle_(std::move(other.bundle_)),
      placeholders_(std::move(other.placeholders_)),
      command_(std::move(other.command_)),
      patience_(other.patience_),
      network_(other.network_),
      cgroup_(std::move(other.cgroup_)),
      tasks_(std::move(other.tasks_)),
      running_(std::move(other.running_)),
      up_(std::exchange(other.up_, false)),
      created_(std::exchange(other.created_, false)) {}

Instance::~Instance() {
  if (target_ == nullptr) return;
  if (up_ || created_) static_cast<void>(Down());
  running_.reset();
  if (cgroup_) {
    static_cast<void>(cgroup_->KillAll(SIGKILL));
    static_cast<void>(cgroup_->Remove());
  }
  std::error_code ignored;
  std::filesystem::remove_all(bundle_, ignored);
}

Deadline Instance::Patience() const {
  return Deadline::In(std::chrono::milliseconds(static_cast<int64_t>(patience_ * 1000)));
}

bool Instance::Can(Verb verb) const { return target_->description().commands.contains(verb); }

Result<Start> Instance::For(Verb verb, const Words& command) const {
  const auto& commands = target_->description().commands;
  auto at = commands.find(verb);
  if (at == commands.end()) {
    return Fail(ErrorKind::kUnsupported,
                StrCat("target ", target_->description().name, " has no command ", VerbName(verb)));
  }
  auto placeholders = placeholders_;
  if (!command.empty()) {
    auto inside = placeholders;
    inside["data"] = {target_->description().inside_paths ? "/data" : data_};
    placeholders["command"] = TRY(FillIn(command, inside));
  }
  auto start = target_->Begin(TRY(FillIn(at->second, placeholders)));
  start.network = network_;
  for (const auto& file : tasks_) start.tasks.push_back(file.get());
  return start;
}

Result<Nanoseconds> Instance::Do(Verb verb, const Words& command) const {
  auto start = TRY(For(verb, command));
  auto output = TRY(Succeed(start, Patience()));
  return output.took;
}

Result<Output> Instance::Run() const {
  auto start = TRY(For(Verb::kRun));
  return Succeed(start, Patience());
}

Result<Nanoseconds> Instance::Boot() const {
  auto start = TRY(For(Verb::kRun));
  auto running = TRY(Running::Begin(start));
  TRY(running.WaitForLine("ready", Patience()));
  auto took = Clock::now() - running.began();
  TRY(running.WaitForSuccess(Patience()));
  return took;
}

Result<Instance::Steps> Instance::UpInSteps() {
  up_ = created_ = true;
  auto began = Clock::now();
  auto start = TRY(For(Verb::kCreate));
  running_ = TRY(Running::Begin(start));
  // Its standard output is the container's: read later.
  TRY(running_->WaitForSuccess(Patience()));
  auto created = Clock::now();
  TRY(Do(Verb::kStart));
  auto started = Clock::now();
  // The container has create's standard output; an engine's has not, and start returns when it
  // runs.
  if (target_->description().bundle) TRY(running_->WaitForLine("ready", Patience()));
  return Steps{created - began, started - created};
}

Result<Nanoseconds> Instance::Up() {
  auto began = Clock::now();
  if (Can(Verb::kCreate) && Can(Verb::kStart)) {
    TRY(UpInSteps());
    return Clock::now() - began;
  }
  up_ = true;
  if (Can(Verb::kDetached)) {
    TRY(Do(Verb::kDetached));
    return Clock::now() - began;
  }
  auto start = TRY(For(Verb::kRun));
  running_ = TRY(Running::Begin(start));
  TRY(running_->WaitForLine("ready", Patience()));
  return Clock::now() - began;
}

// Until the program has ended: what runs in the foreground has ended with it, a runtime's command
// only tells it to end.
Status Instance::WaitUntilStopped() {
  if (running_ && !running_->HasEnded()) {
    TRY(running_->Wait(Deadline::In(std::chrono::seconds(20))));
    return {};
  }
  // The output that create's container had ends with its last process.
  while (running_ && target_->description().bundle) {
    auto line = TRY(running_->ReadLine(Deadline::In(std::chrono::seconds(20))));
    if (!line) break;
  }
  return {};
}

Result<Instance::Steps> Instance::DownInSteps() {
  up_ = false;
  auto began = Clock::now();
  if (Can(Verb::kStop)) {
    TRY(Do(Verb::kStop));
  } else if (running_) {
    running_->Signal(SIGTERM);
  }
  TRY(WaitUntilStopped());
  auto stopped = Clock::now();
  created_ = false;
  if (Can(Verb::kDelete)) TRY(Do(Verb::kDelete));
  auto deleted = Clock::now();
  running_.reset();
  ReapOrphans();
  return Steps{stopped - began, deleted - stopped};
}

Result<Nanoseconds> Instance::Down() {
  auto steps = TRY(DownInSteps());
  return steps.first;
}

}  // namespace kiste::bench
