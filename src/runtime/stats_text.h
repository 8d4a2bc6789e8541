// SPDX-License-Identifier: Apache-2.0
//
// The lines of `events` in runc's words (its types/events.go), which monitors parse.
#pragma once

#include <string>

#include "sys/cgroup/stats.h"

namespace kiste::runtime {

// One line of JSON each, newline included.
std::string StatsEvent(const std::string& id, const sys::cgroup::Stats& stats);
std::string OomEvent(const std::string& id);

}  // namespace kiste::runtime
