// SPDX-License-Identifier: Apache-2.0
#include "base/strings.h"
#include "sys/cgroup/v2/controllers.h"

namespace kiste::sys::cgroup::v2 {

namespace {

std::string Bytes(int64_t limit) { return limit < 0 ? "max" : StrCat(limit); }

// v1's kernel refuses a limit below the usage; v2's kills. A usage that cannot be read is no reason
// to refuse.
Status CheckUsage(const Directory& directory, std::string_view field, int64_t limit) {
  if (limit <= 0 || directory.fresh) return {};
  auto usage = directory.ReadNumber("memory.current");
  if (!usage || *usage < static_cast<uint64_t>(limit)) return {};
  return Invalid(StrCat(field, " ", limit, " is not above the current usage of ", *usage,
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
  int64_t limit = memory.limit.value_or(0);
  std::string swap_max = TRY(SwapMax(limit, memory.swap.value_or(0)));
  if (memory.check_before_update.value_or(false)) {
    TRY(CheckUsage(directory, "memory.swap", memory.swap.value_or(0)));
    TRY(CheckUsage(directory, "memory.limit", limit));
  }
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
