// SPDX-License-Identifier: Apache-2.0
// A mount namespace of our own, so that no mount of a measured runtime reaches the host, with a
// tmpfs for bundles and state, so that no disk is measured.
//
// On a hybrid host (v1 hierarchies with v2 at /sys/fs/cgroup/unified) v2 is unmounted in it for all
// targets alike: some runtimes of the time, crun 1.8.1 among them, refuse that layout.
#pragma once

#include <string>

#include "result.h"

namespace kiste::perf {

enum class UnifiedHierarchy { kUnmount, kKeep };

// Returns the cgroup layout that the targets see, in words.
Result<std::string> EnterPrivateMounts(const std::string& work_directory, UnifiedHierarchy unified);

}  // namespace kiste::perf
