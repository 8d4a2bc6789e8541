// SPDX-License-Identifier: Apache-2.0
#include <sched.h>

#include "base/strings.h"
#include "bench/method/method.h"

namespace kiste::bench {

namespace {

constexpr Method kMethods[] = {
    {"command", "one command inside, and what it says", MeasureCommand},
    {"lifecycle", "each step of a sandbox's life", MeasureLifecycle},
    {"throughput", "sandboxes per second by workers", MeasureThroughput},
    {"growth", "boot by the size of the root file system", MeasureGrowth},
    {"density", "memory and boot by the number of instances", MeasureDensity},
    {"interference", "a victim beside neighbours that take", MeasureInterference},
    {"pair", "two under the same load beside each other", MeasurePair},
    {"pry", "probes for what is not the sandbox's own", MeasurePry},
    {"reach", "how much of the kernel is reached", MeasureReach},
};

// The last processor that we may use: the first one serves most interrupts.
std::optional<int> LastProcessor() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return std::nullopt;
  for (int processor = CPU_SETSIZE - 1; processor >= 0; --processor) {
    if (CPU_ISSET(processor, &allowed)) return processor;
  }
  return std::nullopt;
}

}  // namespace

std::span<const Method> Methods() { return kMethods; }

const Method* FindMethod(std::string_view name) {
  for (const auto& method : kMethods) {
    if (name == method.name) return &method;
  }
  return nullptr;
}

Result<const RootFileSystem*> Roots::Get(const std::vector<std::string>& programs,
                                         uint64_t filler) {
  for (const auto& made : made_) {
    if (made.programs == programs && made.filler == filler) return &made.root;
  }
  auto number = made_.size();
  auto root =
      TRY(MakeRootFileSystem(StrCat(folder_, "/root", number), StrCat("kiste-bench-root", number),
                             {.load = load_, .programs = programs, .filler = filler}));
  made_.push_back({programs, filler, std::move(root)});
  return &made_.back().root;
}

Result<Instance> Trial::Make(const Words& command, const Link* link, uint64_t filler) const {
  const auto* root = TRY(roots.Get(workload.programs, filler));
  TRY(target.PrepareImage(*root));
  auto limits = workload.limits;
  if (workload.pin) limits.processor = LastProcessor();
  return target.MakeInstance({.command = command,
                              .root = root,
                              .limits = limits,
                              .link = link,
                              .data = workload.data,
                              .patience = workload.patience});
}

}  // namespace kiste::bench
