// SPDX-License-Identifier: Apache-2.0
#include "base/strings.h"
#include "sys/cgroup/v2/controllers.h"

namespace kiste::sys::cgroup::v2 {

namespace {

std::string Bytes(int64_t limit) { return limit < 0 ? "max" : StrCat(limit); }

Status V1Only(std::string_view field) {
  return Fail(ErrorKind::kUnsupported, StrCat(field, " cannot be set with cgroup v2"));
}

Status CheckV1Only(const Memory& memory) {
  if (memory.kernel.value_or(0) > 0) return V1Only("memory.kernel");
  if (memory.kernel_tcp.value_or(0) > 0) return V1Only("memory.kernelTCP");
  if (memory.swappiness && *memory.swappiness != UINT64_MAX) return V1Only("memory.swappiness");
  if (memory.disable_oom_killer.value_or(false)) return V1Only("memory.disableOOMKiller");
  if (!memory.use_hierarchy.value_or(true)) return V1Only("memory.useHierarchy false");
  return {};
}

// v1's kernel refuses a limit below the usage; v2's kills.
Status CheckUsage(const Directory& directory, int64_t limit) {
  if (limit <= 0 || directory.fresh) return {};
  uint64_t usage = TRY(directory.ReadNumber("memory.current"));
  if (usage <= static_cast<uint64_t>(limit)) return {};
  return Invalid(StrCat("memory.limit ", limit, " is below the current usage of ", usage,
                        " bytes in ", directory.path));
}

}  // namespace

Result<std::string> SwapMax(int64_t limit, int64_t swap) {
  if (swap == 0) return limit == -1 ? "max" : "";
  if (swap < 0) return "max";
  if (limit == -1) return StrCat(swap);
  if (limit == 0)
    return Invalid(StrCat("memory.swap ", swap, " needs memory.limit, which it includes"));
  if (swap < limit) {
    return Invalid(
        StrCat("memory.swap ", swap, " is less than memory.limit ", limit, ", which it includes"));
  }
  return StrCat(swap - limit);
}

Status SetMemory(const Directory& directory, const Memory& memory) {
  TRY(CheckV1Only(memory));
  int64_t limit = memory.limit.value_or(0);
  std::string swap_max = TRY(SwapMax(limit, memory.swap.value_or(0)));
  if (memory.check_before_update.value_or(false)) TRY(CheckUsage(directory, limit));
  if (!swap_max.empty()) {
    auto set = directory.Set("memory.swap", "memory.swap.max", swap_max);
    // Without swap accounting there is no swap to forbid and no limit to take away.
    bool harmless = swap_max == "max" || swap_max == "0";
    bool tolerated = !set && set.error().kind == ErrorKind::kUnsupported && harmless;
    if (!set && !tolerated) return set;
  }
  if (limit != 0) TRY(directory.Set("memory.limit", "memory.max", Bytes(limit)));
  if (memory.reservation.value_or(0) != 0) {
    TRY(directory.Set("memory.reservation", "memory.low", Bytes(*memory.reservation)));
  }
  return {};
}

}  // namespace kiste::sys::cgroup::v2
