// SPDX-License-Identifier: Apache-2.0
//
// On which cpus this process may run (sched_setaffinity(2)); children inherit it. Masks are the
// kernel's: bit n of word n / 64.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"

namespace kiste::sys {

Result<std::vector<uint64_t>> Affinity();
// EINVAL when the host, or the cgroup's cpuset, has none of the cpus.
Status SetAffinity(const std::vector<uint64_t>& cpus);

}  // namespace kiste::sys
