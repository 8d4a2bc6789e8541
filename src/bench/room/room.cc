// SPDX-License-Identifier: Apache-2.0
#include "bench/room/room.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "base/strings.h"
#include "sys/cgroup/cgroup.h"
#include "sys/file.h"
#include "sys/loopback.h"
#include "sys/mount.h"
#include "sys/pidfd.h"
#include "sys/plain_fork.h"

namespace kiste::bench {

namespace {

volatile pid_t first_process = 0;

void PassOn(int signal) {
  if (first_process > 0 && signal != SIGINT) kill(first_process, SIGTERM);
}

void CatchSignals() {
  struct sigaction action = {};
  action.sa_handler = PassOn;
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
}

// The run's own work counts as the run's, not as somebody else's.
Status JoinOwnCgroup(const Room& room) {
  auto layout = TRY(sys::cgroup::Detect());
  if (layout.hierarchies.empty()) return {};
  auto cgroup = TRY(sys::cgroup::Cgroup::Create(layout, room.cgroup + "/self"));
  auto tasks = TRY(OpenTasks(cgroup));
  for (const auto& file : tasks) TRY(sys::WriteAll(file.get(), "0", "tasks"));
  return {};
}

// On a hybrid host the v2 hierarchy has no controller that limits anything, and crun refuses to
// start beside it: in the room there is v1 alone, for every target.
Status HideHybrid() {
  auto layout = TRY(sys::cgroup::Detect());
  const auto* v2 = layout.FindV2();
  if (layout.kind != sys::cgroup::Kind::kHybrid || v2 == nullptr) return {};
  return sys::Unmount(v2->mount_point);
}

Status Furnish() {
  TRY(sys::MakeMountsPrivate());
  TRY(HideHybrid());
  TRY(sys::Mount("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC));
  TRY(sys::Mount("tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=755"));
  TRY(sys::Mount("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777"));
  // Not on every kernel, and missed by nobody but a probe, which says so.
  if (sys::Exists(AT_FDCWD, "/dev/mqueue"))
    static_cast<void>(sys::Mount("mqueue", "/dev/mqueue", MS_NOSUID | MS_NODEV));
  auto network = TRY(sys::Open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  return sys::BringLoopbackUp(network.get());
}

[[noreturn]] void FirstProcess(const Room& room, const std::function<int(const Room&)>& deed) {
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  auto furnished = JoinOwnCgroup(room);
  if (furnished) furnished = Furnish();
  if (!furnished) {
    fprintf(stderr, "kiste-bench: %s\n", furnished.error().Text().c_str());
    _exit(1);
  }
  int code = deed(room);
  fflush(nullptr);
  // Not exit(3): destructors of statics are the other process's. The rest of the room dies now.
  _exit(code);
}

}  // namespace

Result<std::vector<Fd>> OpenTasks(const sys::cgroup::Cgroup& cgroup) {
  auto joining = TRY(cgroup.OpenForJoining());
  if (joining.cgroup2) {
    joining.tasks.push_back(
        TRY(sys::OpenAt(joining.cgroup2.get(), "cgroup.procs", O_WRONLY | O_CLOEXEC)));
  }
  return std::move(joining.tasks);
}

Result<int> InRoom(const std::string& run, const std::string& parent,
                   const std::function<int(const Room&)>& deed) {
  if (geteuid() != 0) {
    return Fail(ErrorKind::kUnsupported,
                "run: expected to be root, for namespaces and cgroups; found an ordinary user");
  }
  auto mark = StrCat("kiste-bench-", run);
  Room room{run, StrCat(TRY(sys::RealPath(parent)), "/", mark), StrCat("/", mark)};
  auto ledger = TRY(Ledger::Write(run, {room.folder, room.cgroup}));
  auto make = [&]() -> Status {
    TRY(sys::MakeDirectoryAt(AT_FDCWD, room.folder, 0755));
    auto layout = TRY(sys::cgroup::Detect());
    if (!layout.hierarchies.empty()) TRY(sys::cgroup::Cgroup::Create(layout, room.cgroup));
    return {};
  };
  if (auto made = make(); !made) {
    static_cast<void>(ledger.Settle());
    return std::unexpected(std::move(made).error());
  }
  CatchSignals();
  fflush(nullptr);
  auto pid = sys::ForkInto(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC);
  if (!pid) {
    static_cast<void>(ledger.Settle());
    return std::unexpected(std::move(pid).error().With("room"));
  }
  if (*pid == 0) {
    ledger.CloseInChild();
    FirstProcess(room, deed);
  }
  first_process = *pid;
  auto code = sys::WaitChild(*pid);
  first_process = 0;
  TRY_CONTEXT(ledger.Settle(), "what the run has left");
  return code;
}

}  // namespace kiste::bench
