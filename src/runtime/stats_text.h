// SPDX-License-Identifier: Apache-2.0
//
// The lines of `events` in runc's words (its types/events.go), which monitors parse.
#pragma once

#include <optional>
#include <string>

#include "runtime/intel_rdt.h"
#include "sys/cgroup/stats.h"

namespace kiste::runtime {

// One line of JSON each, newline included. `rdt` is that of a container with linux.intelRdt.
std::string StatsEvent(const std::string& id, const sys::cgroup::Stats& stats,
                       const std::optional<RdtStats>& rdt = std::nullopt);
std::string OomEvent(const std::string& id);

}  // namespace kiste::runtime
