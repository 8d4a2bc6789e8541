// SPDX-License-Identifier: Apache-2.0
#include "base/defer.h"
#include "base/strings.h"
#include "sys/cgroup/backoff.h"
#include "sys/cgroup/v1/controllers.h"

namespace kiste::sys::cgroup::v1 {

namespace {
constexpr char kState[] = "freezer.state";
}  // namespace

Status Freeze(const Directory& directory, std::chrono::milliseconds limit) {
  TRY(directory.Set("freezing", kState, "FROZEN"));
  // Half-frozen is worse than running.
  Defer thaw([&] { (void)Thaw(directory); });
  Backoff backoff(limit);
  int rounds = 0;
  while (true) {
    std::string state = TRY(directory.Read(kState));
    if (Trim(state) == "FROZEN") break;
    if (!backoff.Wait()) {
      return Fail(ErrorKind::kTimeout, StrCat("freeze ", directory.path, ": still ", Trim(state)));
    }
    // A process that keeps forking, or one that waits for a frozen child it vforked, can hold the
    // state at FREEZING for ever: letting all run for a moment breaks that.
    if (++rounds % 16 == 0) TRY(Thaw(directory));
    // Asking again is what old kernels want, and what catches a process that joined meanwhile.
    TRY(directory.Write(kState, "FROZEN"));
  }
  thaw.Cancel();
  return {};
}

Status Thaw(const Directory& directory) { return directory.Write(kState, "THAWED"); }

Result<bool> IsFrozen(const Directory& directory) {
  std::string self = TRY(directory.Read("freezer.self_freezing"));
  return Trim(self) == "1";
}

}  // namespace kiste::sys::cgroup::v1
