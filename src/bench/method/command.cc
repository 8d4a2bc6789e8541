// SPDX-License-Identifier: Apache-2.0
//
// One command inside, in the foreground. Where it is to talk with somebody outside, [settings]
// companion is a command of `load` that runs in the run's own network meanwhile.
#include "base/strings.h"
#include "bench/method/method.h"

namespace kiste::bench {

namespace {

Result<std::optional<Running>> BeginCompanion(const Trial& trial) {
  auto words = trial.workload.Texts("companion", {});
  if (words.empty()) return std::optional<Running>();
  words.insert(words.begin(), trial.roots.load());
  words = TRY(FillIn(words, {{"outside", {kOutsideAddress}}, {"inside", {kInsideAddress}}}));
  auto running = TRY(Running::Begin({.words = words}));
  TRY(running.WaitForLine("ready", Deadline::In(std::chrono::seconds(10))));
  return std::optional<Running>(std::move(running));
}

}  // namespace

Result<Outcome> MeasureCommand(const Trial& trial) {
  if (trial.workload.command.empty()) return Invalid("command: expected a list of words");
  std::optional<Link> link;
  if (trial.workload.network == NetworkKind::kLink) {
    auto made = TRY(Link::Make(StrCat(trial.room.folder, "/link")));
    link.emplace(std::move(made));
  }
  auto companion = TRY(BeginCompanion(trial));
  auto instance = TRY(trial.Make(trial.workload.command, link ? &*link : nullptr));
  auto output = TRY(instance.Run());
  if (!trial.workload.read.empty()) return ReadByPatterns(output.text, trial.workload.read);
  return ReadLoadOutput(output.text);
}

}  // namespace kiste::bench
