// SPDX-License-Identifier: Apache-2.0
//
// Cgroup::Remove. rmdir(2) of a cgroup fails with EBUSY while it has processes, dying ones
// included, or cgroups below it.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/strings.h"
#include "sys/cgroup/backoff.h"
#include "sys/cgroup/cgroup.h"
#include "sys/cgroup/walk.h"

namespace kiste::sys::cgroup {

namespace {

// Removes one empty directory; waits while it is busy. False when the time is over.
Result<bool> RemoveOne(int parent_fd, const std::string& name, Backoff& backoff) {
  while (unlinkat(parent_fd, name.c_str(), AT_REMOVEDIR) != 0) {
    if (errno == ENOENT) return true;
    if (errno == EINTR) continue;
    if (errno != EBUSY && errno != ENOTEMPTY) return ErrnoError("rmdir " + name);
    if (!backoff.Wait()) return false;
  }
  return true;
}

std::unexpected<Error> InUse(const Directory& directory) {
  return Fail(ErrorKind::kTimeout, StrCat("cgroup ", directory.path, " is still in use"));
}

// Removes all below `directory`.
Status RemoveBelow(const Directory& directory, Backoff& backoff) {
  Visitor visitor;
  visitor.leave = [&](int parent_fd, const std::string& name) -> Status {
    bool removed = TRY(RemoveOne(parent_fd, name, backoff));
    if (!removed) return InUse(directory);
    return {};
  };
  return Walk(directory, visitor);
}

// Removes all below `directory` and waits for its processes to leave, until the time is over.
Status Empty(const Directory& directory, Backoff& backoff) {
  do {
    TRY(RemoveBelow(directory, backoff));
    auto processes = directory.Read("cgroup.procs");
    if (!processes || processes->empty()) return {};
  } while (backoff.Wait());
  return InUse(directory);
}

// Removes all below `directory`, then itself, until the time is over.
Status RemoveTree(const Directory& directory, Backoff& backoff) {
  do {
    TRY(RemoveBelow(directory, backoff));
    // Somebody in the container may have made another cgroup meanwhile: then once more.
    if (rmdir(directory.path.c_str()) == 0 || errno == ENOENT) return {};
    if (errno != EBUSY && errno != ENOTEMPTY) {
      int failure = errno;
      // On a read-only mount, EROFS comes even for what does not exist.
      if (access(directory.path.c_str(), F_OK) != 0 && errno == ENOENT) return {};
      return SystemError(failure, "rmdir " + directory.path);
    }
  } while (backoff.Wait());
  return InUse(directory);
}

}  // namespace

Status Cgroup::Remove(std::chrono::milliseconds limit, const std::vector<std::string>& kept) const {
  auto stays = [&](const Directory& directory) {
    return std::ranges::find(kept, directory.path) != kept.end();
  };
  std::vector<const Directory*> remaining;
  for (const auto& directory : directories_) {
    if (stays(directory) || (rmdir(directory.path.c_str()) != 0 && errno != ENOENT))
      remaining.push_back(&directory);
  }
  Status first;
  Backoff backoff(limit);
  for (const Directory* directory : remaining) {
    auto removed = stays(*directory) ? Empty(*directory, backoff) : RemoveTree(*directory, backoff);
    if (!removed && first) first = std::move(removed);
  }
  return first;
}

}  // namespace kiste::sys::cgroup
