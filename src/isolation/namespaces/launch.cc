// SPDX-License-Identifier: Apache-2.0
#include "isolation/namespaces/launch.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/strings.h"
#include "isolation/namespaces/compile.h"
#include "isolation/namespaces/id_maps.h"
#include "isolation/namespaces/launcher_image.h"
#include "isolation/namespaces/report.h"
#include "oci/rlimit_names.h"
#include "sys/affinity.h"
#include "sys/clone.h"
#include "sys/file.h"
#include "sys/memfd.h"
#include "sys/pidfd.h"
#include "sys/procfs.h"
#include "sys/socket.h"

namespace kiste::isolation {

using launcher::Op;
using launcher::Report;
using launcher::ReportKind;

namespace {

// Receives a report; nothing at the end of file. Reports come in whole messages.
Result<bool> NextReport(int channel, Report& report, Deadline deadline) {
  size_t size = TRY(sys::Receive(channel, &report, sizeof report, deadline));
  if (size == 0) return false;
  TRY(CheckReport(report, size));
  return true;
}

Status ApplyLimits(pid_t pid, const ProcessPlan& process) {
  if (process.oom_score_adj) {
    TRY_CONTEXT(
        sys::WriteExisting(StrCat("/proc/", pid, "/oom_score_adj"), StrCat(*process.oom_score_adj)),
        "process.oomScoreAdj");
  }
  for (const auto& limit : process.rlimits) {
    rlimit64 value{limit.soft, limit.hard};
    auto resource = static_cast<__rlimit_resource>(limit.resource);
    if (prlimit64(pid, resource, &value, nullptr) < 0) {
      return Context(Status(SystemError(
                         errno, StrCat("prlimit64 ", oci::NameOf(oci::kRlimitNames, limit.resource),
                                       " to ", limit.soft, ":", limit.hard))),
                     "process.rlimits");
    }
  }
  return {};
}

// Spawns while this process runs on `cpus` (when there are any), which the child inherits.
Result<sys::Spawned> SpawnOn(const std::vector<uint64_t>& cpus, const sys::SpawnRequest& request,
                             Deadline deadline) {
  constexpr char kField[] = "process.execCPUAffinity.initial";
  std::vector<uint64_t> before;
  if (!cpus.empty()) {
    before = TRY(sys::Affinity());
    TRY_CONTEXT(sys::SetAffinity(cpus), kField);
  }
  auto spawned = sys::Spawn(request, deadline);
  // In vain where a cpu has gone meanwhile: then the kernel has chosen already.
  if (!cpus.empty()) static_cast<void>(sys::SetAffinity(before));
  if (!spawned) return Context(std::move(spawned), "start the container's process");
  return std::move(*spawned);
}

constexpr int kKillMs = 2000;  // how long a launcher may take to die

// Why a process may have nothing to say, as far as the kernel tells.
std::string Silence(pid_t pid) {
  auto stat = sys::StatProcess(pid);
  if (!stat) return "it is gone";
  if (stat->state == 'T' || stat->state == 't') return "it is stopped";
  if (stat->state == 'D') return "it is frozen or waits for a device";
  return StrCat("it is in state ", std::string(1, stat->state));
}

// One launch: the child that is current (forks make a new one), and the state of the dialogue.
class Dialogue {
 public:
  Dialogue(const LaunchPlan& plan, const LaunchObserver& observer, const Compiled& compiled,
           Launched child, Fd channel)
      : plan_(plan),
        observer_(observer),
        compiled_(compiled),
        child_(std::move(child)),
        channel_(std::move(channel)) {}

  // Until the payload runs or waits; on failure the child is killed and reaped.
  Result<Launched> Run() {
    auto outcome = Converse();
    if (outcome) return std::move(child_);
    channel_.Reset();  // a fork that nobody told of ends by itself
    if (child_.pid > 0) sys::KillChild(child_.pidfd.get(), child_.pid, kKillMs);
    return std::unexpected(std::move(outcome).error());
  }

 private:
  Status Converse() {
    if (!Forks()) TRY(Started());
    bool executing = false;
    Report report{};
    while (TRY(Next(report))) {
      switch (report.kind) {
        case ReportKind::kChild:
          TRY(Succeed(report.pid));
          break;
        case ReportKind::kSync:
          TRY(Synchronise());
          break;
        case ReportKind::kReady:
          return {};
        case ReportKind::kExec:
          executing = true;
          break;
        case ReportKind::kFailed:
          return std::unexpected(ReportedError(report, compiled_.builder.words()));
      }
    }
    if (executing) return {};
    return Died();
  }

  // The next report of the launcher that is current. What its child says before it has told of that
  // child is kept until then.
  Result<bool> Next(Report& report) {
    auto ready = std::find_if(early_.begin(), early_.end(),
                              [this](const Report& early) { return IsCurrent(early); });
    if (ready != early_.end()) {
      report = *ready;
      early_.erase(ready);
      return true;
    }
    Deadline deadline = AnswerDeadline();
    while (TRY(AwaitReport(deadline))) {
      if (!TRY(NextReport(channel_.get(), report, deadline))) return false;
      if (IsCurrent(report)) return true;
      early_.push_back(report);
    }
    return false;
  }

  // Waits for a report or for the end of file. False when the current child has ended without a
  // word while the channel is still open: somebody killed it between its fork and its report.
  Result<bool> AwaitReport(Deadline deadline) {
    pollfd entries[] = {{channel_.get(), POLLIN, 0}, {child_.pidfd.get(), POLLIN, 0}};
    while (true) {
      int ready = poll(entries, std::size(entries), deadline.PollTime());
      if (ready < 0 && errno == EINTR) continue;
      if (ready < 0) return SystemError(errno, "poll the launcher");
      if (ready == 0) {
        return Fail(ErrorKind::kTimeout, StrCat("the container's process ", child_.pid,
                                                " does not answer: ", Silence(child_.pid)));
      }
      if (entries[0].revents != 0) return true;
      // What it said before it ended may have come after the look at the channel.
      return poll(entries, 1, 0) > 0;
    }
  }

  // The hooks that run before the next report are the user's, with their own limits.
  Deadline AnswerDeadline() const {
    auto hooks = plan_.create_container.hooks;
    if (!plan_.start_listener) {
      const auto& more = plan_.start_container.hooks;
      hooks.insert(hooks.end(), more.begin(), more.end());
    }
    return DeadlineWithHooks(plan_.patience, hooks);
  }
  bool IsCurrent(const Report& report) const {
    return report.generation == static_cast<uint32_t>(forks_seen_);
  }

  bool Forks() const { return ForksLeft() > 0; }
  int ForksLeft() const { return forks_expected_ - forks_seen_; }

  // The current child handed over to its sibling `pid`: ours too, and not reaped yet, so the pid
  // cannot be anybody else's. A launcher that names a process that is not ours lies.
  Status Succeed(pid_t pid) {
    Fd pidfd = TRY(sys::PidfdOpen(pid));
    if (!TRY(sys::IsChild(pidfd.get())))
      return Fail(ErrorKind::kSystem,
                  StrCat("the launcher's child ", pid, " is not this program's"));
    if (TRY(sys::PidfdWaitExit(child_.pidfd.get(), kKillMs)))
      static_cast<void>(sys::TryWaitChild(child_.pid));
    child_ = Launched{pid, std::move(pidfd)};
    ++forks_seen_;
    if (ForksLeft() == 0) return Started();
    return {};
  }

  // A launcher that cannot be told has failed, and says so itself, or has ended.
  void Tell(char word) { static_cast<void>(sys::Send(channel_.get(), &word, 1)); }

  Status Started() {
    if (observer_.started) TRY(observer_.started(child_.pid));
    Tell(launcher::kHeldByte);
    return {};
  }

  Status Synchronise() {
    if (syncs_seen_ >= compiled_.syncs.size())
      return Fail(ErrorKind::kSystem, "the launcher waits for nothing");
    switch (compiled_.syncs[syncs_seen_++]) {
      case SyncPoint::kIdMaps:
        TRY(WriteIdMaps(child_.pid, plan_.namespaces));
        break;
      case SyncPoint::kCgroup:
        if (observer_.enter_cgroup) TRY(observer_.enter_cgroup(child_.pid));
        break;
      case SyncPoint::kNetwork:
        if (observer_.move_devices) TRY(observer_.move_devices(child_.pid));
        break;
      case SyncPoint::kHostHooks:
        if (observer_.host_hooks) TRY(observer_.host_hooks(child_.pid));
        break;
      case SyncPoint::kLimits:
        TRY(ApplyLimits(child_.pid, plan_.process));
        break;
    }
    Tell(launcher::kGoByte);
    return {};
  }

  // The channel closed without a word: somebody killed the child.
  Status Died() {
    if (!TRY(sys::PidfdWaitExit(child_.pidfd.get(), kKillMs))) {
      return Fail(ErrorKind::kSystem, "the container's process hung up while it was being set up");
    }
    int code = TRY(sys::Reap(std::exchange(child_.pid, -1)));
    return Fail(ErrorKind::kSystem,
                StrCat("the container's process died while it was being set up (",
                       code > 128 ? "signal " : "exit code ", code > 128 ? code - 128 : code, ")"));
  }

  const LaunchPlan& plan_;
  const LaunchObserver& observer_;
  const Compiled& compiled_;
  Launched child_;
  Fd channel_;
  int forks_expected_ = compiled_.forks;
  int forks_seen_ = 0;
  size_t syncs_seen_ = 0;
  std::vector<Report> early_;
};

}  // namespace

Result<Launched> Launch(const LaunchPlan& plan, const LaunchObserver& observer) {
  Compiled compiled = TRY(Compile(plan, {.host_hooks = observer.host_hooks != nullptr,
                                         .ignored_signals = sys::IgnoredSignals()}));
  Fd image = TRY(sys::SealedExecutable("kiste-launcher", LauncherImage(), plan.scratch));
  Fd proc = TRY(sys::OpenProc());
  auto channel = TRY(sys::MakeSocketPair());
  std::string block = compiled.builder.Finish(channel.theirs.get(), proc.get());
  Fd program = TRY(sys::MemoryFile("kiste-program", block));

  std::string argument = StrCat(compiled.builder.Inherit(program.get()));
  char name[] = "kiste-init";
  char* argv[] = {name, argument.data(), nullptr};
  char* envp[] = {nullptr};
  sys::SpawnRequest request{.executable = image.get(), .argv = argv, .envp = envp};
  request.namespaces = compiled.clone_namespaces;
  // From the start, while nothing is given up yet: later launchers inherit it.
  if (plan.cgroup.directory) request.cgroup = plan.cgroup.directory.get();
  // Where there is v1 besides, the controller for memory is there, and joined later.
  request.limited_memory = plan.cgroup.directory && plan.cgroup.tasks.empty();
  auto inherited = compiled.builder.inherited();
  for (unsigned i = 0; i < plan.process.preserve_fds; ++i)
    inherited.push_back(static_cast<int>(3 + i));
  request.inherit = inherited;
  auto spawned = TRY(SpawnOn(plan.process.initial_cpus, request, Deadline::In(plan.patience)));
  channel.theirs.Reset();
  Launched child{spawned.pid, std::move(spawned.pidfd)};
  return Dialogue(plan, observer, compiled, std::move(child), std::move(channel.ours)).Run();
}

Deadline DeadlineWithHooks(std::chrono::milliseconds patience,
                           const std::vector<oci::Hook>& hooks) {
  for (const auto& hook : hooks) {
    if (!hook.timeout) return Deadline::Never();
    patience += std::chrono::seconds(*hook.timeout);
  }
  return Deadline::In(patience);
}

bool WaitsForStart(int directory, const std::string& name) { return sys::Listens(directory, name); }

namespace {

enum class Answer { kExecutes, kDied, kHungUp };

std::string_view StepOf(Op op) {
  return op == Op::kExec      ? "exec"
         : op == Op::kHooks   ? "hooks.startContainer"
         : op == Op::kSeccomp ? "linux.seccomp: install the filter"
                              : "start";
}

std::unexpected<Error> Silent(std::string_view what_follows = "nothing was started") {
  return Fail(
      ErrorKind::kTimeout,
      StrCat("the container's process does not answer (it is stopped or frozen): ", what_follows));
}

// Time is over. From here on what the process says reaches nobody, and it ends instead of starting
// its program (SendReport); unless it has said already that it does.
std::unexpected<Error> Withdraw(int connection, bool executes) {
  shutdown(connection, SHUT_RD);
  Report report{};
  while (!executes && NextReport(connection, report, Deadline::In({})).value_or(false))
    executes = report.kind == ReportKind::kExec;
  return executes ? Silent("it starts its program as soon as it goes on") : Silent();
}

// Says that it may start, and hears what becomes of it. kHungUp: it has ended the connection
// without a word.
Result<Answer> TellToStart(int connection, Deadline deadline) {
  auto sent = sys::Send(connection, &launcher::kStartByte, 1);
  if (!sent && sent.error().errno_value == EPIPE) return Answer::kHungUp;
  TRY(std::move(sent));
  Report report{};
  auto answer = Answer::kHungUp;
  while (true) {
    auto more = NextReport(connection, report, deadline);
    if (!more && more.error().kind == ErrorKind::kTimeout)
      return Withdraw(connection, answer == Answer::kExecutes);
    TRY(std::move(more));
    if (!*more) return answer;
    if (report.kind == ReportKind::kFailed)
      return std::unexpected(ReportedError(report, StepOf(report.op)));
    if (report.kind == ReportKind::kExec) answer = Answer::kExecutes;
    if (answer == Answer::kHungUp) answer = Answer::kDied;
  }
}

}  // namespace

Status ReleaseStart(int directory, const std::string& name, Deadline deadline) {
  // It hangs up on whom it has not heard for a second, as when this program was stopped meanwhile,
  // and waits on (WaitStart). A process that has died is not there the next time.
  for (bool again = false;; again = true) {
    auto connection = sys::ConnectAt(directory, name, deadline);
    if (!connection && connection.error().kind == ErrorKind::kTimeout) return Silent();
    if (!connection && !again) return Fail(ErrorKind::kNotFound, "no process waits for start");
    auto answer = connection ? TellToStart(connection->get(), deadline) : Answer::kDied;
    if (!answer) return std::unexpected(std::move(answer).error());
    if (*answer == Answer::kExecutes) return {};
    if (*answer == Answer::kDied)
      return Fail(ErrorKind::kSystem, "the container's process died before it was started");
    if (deadline.Over()) return Silent();
  }
}

}  // namespace kiste::isolation
