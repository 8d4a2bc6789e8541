// SPDX-License-Identifier: Apache-2.0
#include "base/strings.h"
#include "sys/cgroup/v1/controllers.h"

namespace kiste::sys::cgroup::v1 {

namespace {

constexpr char kLimit[] = "memory.limit_in_bytes";
constexpr char kSwap[] = "memory.memsw.limit_in_bytes";  // memory and swap together

Status SetLimit(const Directory& directory, int64_t limit) {
  auto set = directory.Set("memory.limit", kLimit, StrCat(limit));
  if (!Failed(set, EBUSY)) return set;
  // The kernel could not push the usage below the new limit: say what the usage is.
  auto usage = directory.ReadNumber("memory.usage_in_bytes");
  auto peak = directory.ReadNumber("memory.max_usage_in_bytes");
  if (usage && peak) {
    set.error().detail = StrCat("current usage ", *usage, ", peak usage ", *peak);
  }
  return set;
}

Status SetSwap(const Directory& directory, int64_t swap) {
  return directory.Set("memory.swap", kSwap, StrCat(swap));
}

Status SetLimitAndSwap(const Directory& directory, int64_t limit, int64_t swap) {
  if (limit > 0 && swap > 0 && swap < limit) {
    return Invalid(
        StrCat("memory.swap ", swap, " is less than memory.limit ", limit, ", which it includes"));
  }
  // Unlimited memory makes swap unlimited unless told otherwise; without swap accounting it is so.
  bool swap_follows = limit == -1 && swap == 0;
  if (swap_follows) swap = -1;
  auto set_swap = [&]() -> Status {
    if (swap == 0) return {};
    auto set = SetSwap(directory, swap);
    if (swap_follows && !set && set.error().kind == ErrorKind::kUnsupported) return {};
    return set;
  };
  if (limit == 0) return set_swap();
  auto set = SetLimit(directory, limit);
  if (set) return set_swap();
  // EINVAL: above the present memory and swap limit, which then has to rise first.
  if (!Failed(set, EINVAL) || swap == 0) return set;
  TRY(set_swap());
  return SetLimit(directory, limit);
}

}  // namespace

Status SetMemory(const Directory& directory, const Memory& memory) {
  TRY(SetLimitAndSwap(directory, memory.limit.value_or(0), memory.swap.value_or(0)));
  // Below a hierarchical group, as all are since Linux 5.11, 0 is EINVAL; elsewhere it is so
  // anyway.
  if (memory.use_hierarchy.value_or(false))
    TRY(directory.Set("memory.useHierarchy", "memory.use_hierarchy", "1"));
  if (memory.reservation.value_or(0) != 0) {
    TRY(directory.Set("memory.reservation", "memory.soft_limit_in_bytes",
                      StrCat(*memory.reservation)));
  }
  // The killer is on in a new cgroup: engines say so for every container, and it needs no write.
  if (memory.disable_oom_killer && (*memory.disable_oom_killer || !directory.fresh)) {
    TRY(directory.Set("memory.disableOOMKiller", "memory.oom_control",
                      *memory.disable_oom_killer ? "1" : "0"));
  }
  // Some callers write -1 for "as it is".
  if (memory.swappiness && *memory.swappiness != UINT64_MAX) {
    if (*memory.swappiness > 100) {
      return Invalid(StrCat("memory.swappiness ", *memory.swappiness, " is not in 0 to 100"));
    }
    TRY(directory.Set("memory.swappiness", "memory.swappiness", StrCat(*memory.swappiness)));
  }
  return {};
}

}  // namespace kiste::sys::cgroup::v1
