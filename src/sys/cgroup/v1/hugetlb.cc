// SPDX-License-Identifier: Apache-2.0
#include "base/strings.h"
#include "sys/cgroup/v1/controllers.h"

namespace kiste::sys::cgroup::v1 {

Status SetHugetlb(const Directory& directory, const std::vector<HugepageLimit>& limits) {
  for (const auto& [page_size, limit] : limits) {
    std::string prefix = StrCat("hugetlb.", page_size);
    std::string value = StrCat(limit);
    TRY(CheckFileName("hugepageLimits.pageSize", prefix));
    // Reservations are limited, too, where the kernel counts them (since 5.7): first, because what
    // is refused there is refused before it is used.
    auto reserved = directory.Write(prefix + ".rsvd.limit_in_bytes", value);
    if (!reserved && !IsMissing(reserved.error())) return reserved;
    TRY(directory.Set("hugepageLimits", prefix + ".limit_in_bytes", value));
  }
  return {};
}

}  // namespace kiste::sys::cgroup::v1
