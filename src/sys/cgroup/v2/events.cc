// SPDX-License-Identifier: Apache-2.0
//
// The files cgroup.* of v2 that act on processes: freeze, kill, and events, which tells when it is
// done.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/defer.h"
#include "base/strings.h"
#include "sys/cgroup/backoff.h"
#include "sys/cgroup/v2/controllers.h"

namespace kiste::sys::cgroup::v2 {

Status WaitEvent(const Directory& directory, std::string_view key, std::string_view value,
                 std::chrono::milliseconds limit) {
  Fd fd = TRY(directory.Open("cgroup.events", O_RDONLY));
  std::string wanted = StrCat(key, " ", value);
  Backoff deadline(limit);
  while (true) {
    char text[512];
    ssize_t got = pread(fd.get(), text, sizeof text, 0);
    if (got < 0) return ErrnoError(StrCat("read ", directory.path, "/cgroup.events"));
    for (auto line : Split(std::string_view(text, static_cast<size_t>(got)), '\n')) {
      if (line == wanted) return {};
    }
    auto left = deadline.Left().count();
    if (left <= 0) {
      return Fail(ErrorKind::kTimeout, StrCat("cgroup ", directory.path, ": no \"", wanted,
                                              "\" within ", limit.count(), " ms"));
    }
    // The kernel wakes us when the file changes after the last read (POLLPRI).
    pollfd change{fd.get(), POLLPRI, 0};
    if (poll(&change, 1, static_cast<int>(left)) < 0 && errno != EINTR) {
      return ErrnoError(StrCat("poll ", directory.path, "/cgroup.events"));
    }
  }
}

Status Freeze(const Directory& directory, std::chrono::milliseconds limit) {
  TRY(directory.Set("freezing", "cgroup.freeze", "1"));
  Defer thaw([&] { (void)Thaw(directory); });
  TRY(WaitEvent(directory, "frozen", "1", limit));
  thaw.Cancel();
  return {};
}

Status Thaw(const Directory& directory) { return directory.Write("cgroup.freeze", "0"); }

Result<bool> IsFrozen(const Directory& directory) {
  std::string frozen = TRY(directory.Read("cgroup.freeze"));
  return Trim(frozen) == "1";
}

Result<bool> Kill(const Directory& directory) {
  auto killed = directory.Write("cgroup.kill", "1");
  if (!killed && IsMissing(killed.error())) return false;
  // The cgroup was removed under the open file: nobody is left in it.
  if (Failed(killed, ENODEV)) return true;
  TRY(std::move(killed));
  return true;
}

}  // namespace kiste::sys::cgroup::v2
