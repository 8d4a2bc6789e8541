// SPDX-License-Identifier: Apache-2.0
//
// Sandboxes per second: as many workers as asked for, each of which starts the next sandbox when
// its last one has ended. Bundles are written before the clock runs.
#include <poll.h>

#include <deque>

#include "base/strings.h"
#include "bench/method/method.h"

namespace kiste::bench {

namespace {

// The sandboxes of one measurement, by what they are doing.
class Workers {
 public:
  Workers(std::vector<Instance> instances, size_t most)
      : instances_(std::move(instances)), most_(most) {}

  Result<Nanoseconds> RunAll() {
    auto began = Clock::now();
    auto deadline = instances_.front().Patience();
    while (next_ < instances_.size() || !running_.empty()) {
      while (running_.size() < most_ && next_ < instances_.size()) {
        auto start = TRY(instances_[next_++].For(Verb::kRun));
        running_.push_back(TRY(Running::Begin(start)));
      }
      Wait();
      TRY(Collect(deadline));
    }
    return Clock::now() - began;
  }

 private:
  void Wait() {
    std::vector<pollfd> ends;
    for (const auto& running : running_) ends.push_back({running.pidfd(), POLLIN, 0});
    poll(ends.data(), ends.size(), 1000);
  }

  Status Collect(Deadline deadline) {
    for (size_t at = 0; at < running_.size();) {
      if (!running_[at].HasEnded()) {
        ++at;
        continue;
      }
      TRY(running_[at].WaitForSuccess(deadline));
      running_.erase(running_.begin() + static_cast<ptrdiff_t>(at));
    }
    if (Interrupted()) return Fail(ErrorKind::kState, "interrupted");
    if (deadline.Over()) return Fail(ErrorKind::kTimeout, "not all sandboxes ended in time");
    return {};
  }

  std::vector<Instance> instances_;
  size_t most_, next_ = 0;
  std::deque<Running> running_;
};

}  // namespace

Result<Outcome> MeasureThroughput(const Trial& trial) {
  Outcome outcome;
  auto count = static_cast<size_t>(trial.workload.Number("sandboxes", 20));
  for (double workers : trial.workload.Numbers("workers", {1, 2, 4, 8})) {
    std::vector<Instance> instances;
    for (size_t i = 0; i < count; ++i) instances.push_back(TRY(trial.Make({"{load}", "nothing"})));
    Workers all(std::move(instances), static_cast<size_t>(workers));
    auto took = TRY(all.RunAll());
    outcome.AddAt({"workers", workers}, "throughput/run", "1/s",
                  static_cast<double>(count) * 1e9 / static_cast<double>(took.count()));
  }
  return outcome;
}

}  // namespace kiste::bench
