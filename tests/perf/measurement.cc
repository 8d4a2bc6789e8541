// SPDX-License-Identifier: Apache-2.0
#include "measurement.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "cgroup_hierarchies.h"

namespace kiste::perf {
namespace {

constexpr std::chrono::milliseconds kPatience{5'000};

// `start` may return before the exec; what is measured next must find the payload running.
Result<void> WaitForPayload(const Container& container) {
  const std::string comm = "/proc/" + std::to_string(container.pid) + "/comm";
  const std::string wanted = std::filesystem::path(container.payload[0]).filename().native() + "\n";
  for (int tries = 0; tries < 1000; ++tries) {
    const auto name = ReadFile(comm);
    if (name && *name == wanted) return {};
    usleep(1000);
  }
  return Fail("after start, process " + std::to_string(container.pid) + " does not run " +
              container.payload[0]);
}

}  // namespace

Result<Container> Workshop::MakeContainer(const Target& target, int slot, Payload payload,
                                          Filter filter) {
  Container container;
  container.id = prefix_ + target.Name() + "-" + std::to_string(slot);
  container.bundle = TRY(bundles_.Get(container.id, payload, filter));
  container.rootfs = bundles_.Rootfs();
  container.pid_file = work_directory_ + "/" + container.id + ".pid";
  container.payload = PayloadCommand(payload);
  return container;
}

Result<Workshop::CreateAndStart> Workshop::Launch(const Target& target, Container& container,
                                                  const Step& step) {
  CreateAndStart figures;
  figures.create = TRY(step(target.Command(Verb::kCreate, container)));
  container.pid =
      static_cast<pid_t>(std::strtol(TRY(ReadFile(container.pid_file)).c_str(), nullptr, 10));
  if (container.pid <= 1 || access(("/proc/" + std::to_string(container.pid)).c_str(), F_OK) != 0) {
    return Fail("create left no living process in " + container.pid_file);
  }
  figures.start = TRY(step(target.Command(Verb::kStart, container)));
  TRY(WaitForPayload(container));
  return figures;
}

Result<Workshop::KillAndDelete> Workshop::End(const Target& target, const Container& container,
                                              const Step& step) {
  KillAndDelete figures;
  figures.kill = TRY(step(target.Command(Verb::kKill, container)));
  TRY(WaitUntilGone(container.pid, kPatience));
  figures.remove = TRY(step(target.Command(Verb::kDelete, container)));
  return figures;
}

void Workshop::Discard(const Target& target) {
  RemoveCgroups(FindCgroups(prefix_ + target.Name() + "-"));
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(target.StateDirectory(), ignored)) {
    std::filesystem::remove_all(entry.path(), ignored);
  }
}

std::vector<std::unique_ptr<Measurement>> AllMeasurements(Workshop& workshop) {
  std::vector<std::unique_ptr<Measurement>> out;
  AddTimedCommands(workshop, out);
  AddCosts(workshop, out);
  AddUpkeep(workshop, out);
  return out;
}

Samples Interleave(Measurement& measurement, const Targets& targets, Schedule schedule,
                   Workshop& workshop, std::mt19937_64& random) {
  Samples samples;
  std::vector<const Target*> taking_part;
  const auto drop = [&](const Target* target, const Error& error) {
    samples.failures[target->Name()] = error.text;
    workshop.Discard(*target);
    std::erase(taking_part, target);
  };
  for (const auto& target : targets) {
    if (measurement.Supports(*target)) taking_part.push_back(target.get());
  }
  for (const Target* target : std::vector(taking_part)) {
    const auto prepared = measurement.Prepare(*target);
    if (!prepared) drop(target, prepared.error());
  }
  for (int round = -schedule.warm_up; round < schedule.rounds && !InterruptedBy(); ++round) {
    auto order = taking_part;
    std::ranges::shuffle(order, random);
    for (const Target* target : order) {
      const auto values = measurement.Sample(*target);
      if (!values) {
        drop(target, values.error());
      } else if (round >= 0) {
        auto& columns = samples.by_target[target->Name()];
        columns.resize(values->size());
        for (size_t i = 0; i < values->size(); ++i) columns[i].push_back((*values)[i]);
      }
    }
  }
  for (const Target* target : std::vector(taking_part)) {
    const auto finished = measurement.Finish(*target);
    if (!finished) drop(target, finished.error());
  }
  for (const auto& [name, reason] : samples.failures) samples.by_target.erase(name);
  return samples;
}

}  // namespace kiste::perf
