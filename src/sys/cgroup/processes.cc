// SPDX-License-Identifier: Apache-2.0
//
// The processes in a cgroup: listed, frozen, signalled, waited for.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <span>

#include "base/strings.h"
#include "sys/cgroup/backoff.h"
#include "sys/cgroup/cgroup.h"
#include "sys/cgroup/v1/controllers.h"
#include "sys/cgroup/v2/controllers.h"
#include "sys/cgroup/walk.h"

namespace kiste::sys::cgroup {

namespace {

constexpr int kMaxPasses = 100;

// Adds the processes listed in the directory `fd`.
Status ReadProcs(int fd, const std::string& top, std::vector<pid_t>& pids) {
  Fd procs(openat(fd, "cgroup.procs", O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!procs) {
    if (errno == ENOENT || errno == ENODEV) return {};
    return ErrnoError("open cgroup.procs below " + top);
  }
  std::string text;
  char block[4096];
  ssize_t got;
  while ((got = read(procs.get(), block, sizeof block)) > 0) {
    text.append(block, static_cast<size_t>(got));
  }
  // ENODEV: removed meanwhile. EOPNOTSUPP: a threaded cgroup, whose processes are listed above it.
  if (got < 0 && errno != ENODEV && errno != EOPNOTSUPP) {
    return ErrnoError("read cgroup.procs below " + top);
  }
  for (auto line : Split(text, '\n')) {
    // 0 is a process outside of our pid namespace.
    if (auto pid = ParseInt(line); pid && *pid > 0) pids.push_back(static_cast<pid_t>(*pid));
  }
  return {};
}

Result<std::vector<pid_t>> PidsIn(std::span<const Directory* const> directories) {
  std::vector<pid_t> pids;
  for (const auto* directory : directories) {
    Visitor visitor;
    visitor.enter = [&](int fd) { return ReadProcs(fd, directory->path, pids); };
    TRY(Walk(*directory, visitor));
  }
  std::ranges::sort(pids);
  pids.erase(std::ranges::unique(pids).begin(), pids.end());
  return pids;
}

// Sends `signal` to those of `pids` that are not in `done` yet; the first refusal is the result.
Status SignalNew(const std::vector<pid_t>& pids, int signal, std::set<pid_t>& done) {
  Status result;
  for (pid_t pid : pids) {
    if (pid == getpid() || !done.insert(pid).second) continue;
    if (kill(pid, signal) != 0 && errno != ESRCH && result) {
      result = ErrnoError(StrCat("kill ", pid, " with signal ", signal));
    }
  }
  return result;
}

}  // namespace

Result<std::vector<pid_t>> Cgroup::Pids() const {
  // Any hierarchy would do; a process can be moved out of single ones by whoever may write there.
  const Directory* directory = Find("freezer");
  if (directory == nullptr) directory = Find("devices");
  if (directory == nullptr) directory = V2();
  if (directory == nullptr && !directories_.empty()) directory = &directories_.front();
  return directory == nullptr ? std::vector<pid_t>() : PidsIn({&directory, 1});
}

Result<std::vector<pid_t>> Cgroup::Occupants() const {
  std::vector<const Directory*> all;
  for (const auto& directory : directories_) all.push_back(&directory);
  return PidsIn(all);
}

Status Cgroup::Freeze(std::chrono::milliseconds limit) const {
  if (const Directory* directory = Find("freezer")) return v1::Freeze(*directory, limit);
  if (const Directory* directory = V2()) return v2::Freeze(*directory, limit);
  return Fail(ErrorKind::kUnsupported, "this host has no cgroup freezer");
}

Status Cgroup::Thaw() const {
  if (const Directory* directory = Find("freezer")) return v1::Thaw(*directory);
  if (const Directory* directory = V2()) return v2::Thaw(*directory);
  return Fail(ErrorKind::kUnsupported, "this host has no cgroup freezer");
}

Result<bool> Cgroup::IsFrozen() const {
  const Directory* v1_freezer = Find("freezer");
  const Directory* v2 = V2();
  if (v1_freezer == nullptr && v2 == nullptr) return false;
  auto frozen = v1_freezer != nullptr ? v1::IsFrozen(*v1_freezer) : v2::IsFrozen(*v2);
  if (!frozen && IsRemoved(frozen.error())) return false;
  return frozen;
}

Status Cgroup::WhileFrozen(const std::function<Status()>& deed) const {
  if (TRY(IsFrozen())) return deed();
  TRY(Freeze());
  auto done = deed();
  auto thawed = Thaw();
  return done ? thawed : done;
}

// Those that cannot be frozen are chased: passes until one finds nobody new.
Status Cgroup::Signal(int signal, int passes) const {
  std::set<pid_t> done;
  for (int pass = 0; pass < passes; ++pass) {
    size_t before = done.size();
    auto pids = TRY(Pids());
    TRY(SignalNew(pids, signal, done));
    if (done.size() == before) return {};
  }
  if (passes == 1) return {};
  return Fail(ErrorKind::kTimeout, StrCat("cgroup ", directories_.front().path,
                                          " gets new processes faster than they can be signalled"));
}

Status Cgroup::KillAll(int signal) const {
  const Directory* v1_freezer = Find("freezer");
  const Directory* v2 = V2();
  if (signal == SIGKILL && v2 != nullptr) {
    bool killed = TRY(v2::Kill(*v2));
    if (killed && v1_freezer == nullptr) return {};
  }
  // Freezing is dear (the kernel patches its own code for it), and mostly nobody is left.
  if (signal == SIGKILL && TRY(Pids()).empty()) return {};
  // While all are frozen nobody forks, so one pass reaches everybody.
  bool was_frozen = TRY(IsFrozen());
  bool frozen = was_frozen || Freeze(std::chrono::milliseconds(500)).has_value();
  Status result = Signal(signal, frozen ? 1 : kMaxPasses);
  // On v1 a frozen process dies only when it is thawed.
  if (frozen && (!was_frozen || signal == SIGKILL)) {
    auto thawed = Thaw();
    bool stuck = !thawed && !IsRemoved(thawed.error());
    if (result && stuck) result = std::move(thawed);
  }
  return result;
}

Status Cgroup::WaitEmpty(std::chrono::milliseconds limit) const {
  if (const Directory* v2 = V2(); v2 != nullptr && directories_.size() == 1) {
    auto waited = v2::WaitEvent(*v2, "populated", "0", limit);
    if (!waited && IsRemoved(waited.error())) return {};
    return waited;
  }
  Backoff backoff(limit);
  while (true) {
    auto pids = TRY(Pids());
    if (pids.empty()) return {};
    if (!backoff.Wait()) {
      return Fail(ErrorKind::kTimeout,
                  StrCat(pids.size(), " processes are left in cgroup ", directories_.front().path));
    }
  }
}

}  // namespace kiste::sys::cgroup
