// SPDX-License-Identifier: Apache-2.0
#include "sys/affinity.h"

#include <sys/syscall.h>
#include <unistd.h>

namespace kiste::sys {

Result<std::vector<uint64_t>> Affinity() {
  constexpr size_t kMostWords = 1024;  // 65536 cpus
  std::vector<uint64_t> cpus(kMostWords);
  long bytes = syscall(SYS_sched_getaffinity, 0, cpus.size() * sizeof cpus[0], cpus.data());
  if (bytes < 0) return ErrnoError("sched_getaffinity");
  cpus.resize(static_cast<size_t>(bytes) / sizeof cpus[0]);
  return cpus;
}

Status SetAffinity(const std::vector<uint64_t>& cpus) {
  if (syscall(SYS_sched_setaffinity, 0, cpus.size() * sizeof cpus[0], cpus.data()) < 0)
    return ErrnoError("sched_setaffinity");
  return {};
}

}  // namespace kiste::sys
