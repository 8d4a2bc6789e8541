// SPDX-License-Identifier: Apache-2.0
#include "bench/kernel/division.h"

#include <algorithm>
#include <optional>

namespace kiste::bench {

namespace {

constexpr int kKernelThreadDaemon = 2;  // kthreadd, the parent of all of them
constexpr int kMostGenerations = 1000;

enum class Party { kPayload, kRuntime, kKernel, kOther };

struct Place {
  Party party = Party::kOther;
  uint64_t payload_since = UINT64_MAX;
};

class Family {
 public:
  Family(const Trace& trace, const Parties& parties) : trace_(trace), parties_(parties) {
    for (const auto& fork : trace.forks) born_[fork.child] = fork;
  }

  // The nearest ancestor that says to whom the thread belongs.
  Place Of(int pid) const {
    Place place;
    uint64_t until = UINT64_MAX;
    for (int generation = 0; generation < kMostGenerations; ++generation) {
      for (const auto& root : parties_.payload) {
        // A child that was born before its parent became the payload is none of it.
        if (root.pid != pid || root.since > until) continue;
        place.payload_since = std::min(place.payload_since, root.since);
      }
      if (pid == 0 || pid == kKernelThreadDaemon) {
        place.party = Party::kKernel;
        return place;
      }
      if (generation > 0 && trace_.own_threads.contains(pid)) {
        place.party = Party::kRuntime;
        return place;
      }
      auto parent = Parent(pid, until);
      if (!parent) return place;
      pid = *parent;
    }
    return place;
  }

 private:
  std::optional<int> Parent(int pid, uint64_t& until) const {
    if (auto at = born_.find(pid); at != born_.end()) {
      until = at->second.time;
      return at->second.parent;
    }
    auto known = parties_.parents.find(pid);
    if (known == parties_.parents.end()) return std::nullopt;
    until = 0;
    // A process without a parent that is to be seen: the first one.
    if (known->second == pid || (known->second == 0 && pid != kKernelThreadDaemon))
      return std::nullopt;
    return known->second;
  }

  const Trace& trace_;
  const Parties& parties_;
  std::unordered_map<int, Fork> born_;
};

class Divider {
 public:
  Divider(const Symbols& symbols, const Parties& parties) : symbols_(symbols), parties_(parties) {}

  void Add(const ThreadTrace& thread, const Place& place) {
    for (const auto& [address, span] : thread.functions[1]) Background(address, span, true);
    for (const auto& [address, span] : thread.functions[0]) {
      int function = symbols_.Find(address);
      if (function < 0) continue;
      bool entry = IsInterruptEntry(symbols_.functions()[static_cast<size_t>(function)].name);
      if (entry || place.party == Party::kKernel) {
        Background(address, span, entry);
        continue;
      }
      if (span.last < parties_.began) continue;
      if (span.last >= place.payload_since) division_.payload.insert(function);
      if (place.party == Party::kRuntime && span.first < place.payload_since)
        division_.runtime.insert(function);
    }
    for (const auto& [call, span] : thread.calls) {
      if (span.last < parties_.began) continue;
      if (span.last >= place.payload_since) division_.calls.insert(call);
      if (place.party == Party::kRuntime && span.first < place.payload_since)
        division_.runtime_calls.insert(call);
    }
  }

  Division Take() {
    for (int known : idle_[0]) division_.kernel_threads.erase(known);
    for (int known : idle_[1]) division_.interrupts.erase(known);
    return std::move(division_);
  }

 private:
  void Background(uint64_t address, const Span& span, bool interrupt) {
    int function = symbols_.Find(address);
    if (function < 0) return;
    if (span.first < parties_.began) idle_[interrupt ? 1 : 0].insert(function);
    (interrupt ? division_.interrupts : division_.kernel_threads).insert(function);
  }

  const Symbols& symbols_;
  const Parties& parties_;
  Division division_;
  std::set<int> idle_[2];
};

}  // namespace

bool IsInterruptEntry(std::string_view function) {
  for (std::string_view begin : {"sysvec_", "__sysvec_", "irq_enter", "irq_exit", "tick_irq_enter",
                                 "common_interrupt", "__common_interrupt"}) {
    if (function.starts_with(begin)) return true;
  }
  return false;
}

std::set<int> Division::All() const {
  auto all = payload;
  for (const auto* set : {&runtime, &kernel_threads, &interrupts})
    all.insert(set->begin(), set->end());
  return all;
}

Division Divide(const Trace& trace, const Symbols& symbols, const Parties& parties) {
  Family family(trace, parties);
  Divider divider(symbols, parties);
  for (const auto& [pid, thread] : trace.threads) divider.Add(thread, family.Of(pid));
  return divider.Take();
}

}  // namespace kiste::bench
