// SPDX-License-Identifier: Apache-2.0
#include "isolation/namespaces/launch.h"

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>

#include "base/strings.h"
#include "isolation/namespaces/compile.h"
#include "isolation/namespaces/id_maps.h"
#include "isolation/namespaces/launcher_image.h"
#include "isolation/namespaces/report_names.h"
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

// A failure report in words; `words` say what was being done, when that is known.
Error ReportedError(const Report& report, std::string words) {
  Error error{ErrorKind::kSystem, report.error, std::move(words), {}};
  if (report.detail[0] != 0) error.detail = report.detail;
  error.call = CallName(report.call);
  error.step = StepName(report.op);
  if (report.op == Op::kFindExecutable) {
    // The words that engines look for to tell 127 from 126 (podman, docker, containerd).
    bool searched = error.operation.find('/') == std::string::npos;
    if (report.error == ENOENT && searched) {
      error.kind = ErrorKind::kNotFound;
      error.errno_value = 0;
      error.detail = "executable file not found in $PATH";
    } else if (report.error == ENOENT || report.error == ENOTDIR) {
      error.kind = ErrorKind::kNotFound;
    }
  } else if (report.op == Op::kHooks && report.error == ECANCELED) {
    error.errno_value = 0;
  } else if (report.op == Op::kHooks && report.error == ETIMEDOUT) {
    error.kind = ErrorKind::kTimeout;
  }
  return error;
}

// Receives a report; nothing at the end of file. Reports come in whole messages.
Result<bool> NextReport(int channel, Report& report) {
  size_t size = TRY(sys::Receive(channel, &report, sizeof report));
  if (size == 0) return false;
  if (size != sizeof report) return Fail(ErrorKind::kSystem, "a broken report from the launcher");
  report.detail[sizeof report.detail - 1] = 0;
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
Result<sys::Spawned> SpawnOn(const std::vector<uint64_t>& cpus, const sys::SpawnRequest& request) {
  constexpr char kField[] = "process.execCPUAffinity.initial";
  std::vector<uint64_t> before;
  if (!cpus.empty()) {
    before = TRY(sys::Affinity());
    TRY_CONTEXT(sys::SetAffinity(cpus), kField);
  }
  auto spawned = sys::Spawn(request);
  // In vain where a cpu has gone meanwhile: then the kernel has chosen already.
  if (!cpus.empty()) static_cast<void>(sys::SetAffinity(before));
  if (!spawned) return Context(std::move(spawned), "start the container's process");
  return std::move(*spawned);
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
    if (child_.pid > 0) {
      static_cast<void>(sys::PidfdSendSignal(child_.pidfd.get(), SIGKILL));
      static_cast<void>(sys::WaitChild(child_.pid));
    }
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
          return std::unexpected(ReportedError(report, compiled_.builder.words().at(report.index)));
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
    while (TRY(NextReport(channel_.get(), report))) {
      if (IsCurrent(report)) return true;
      early_.push_back(report);
    }
    return false;
  }
  bool IsCurrent(const Report& report) const {
    return report.generation == static_cast<uint32_t>(forks_seen_);
  }

  bool Forks() const { return ForksLeft() > 0; }
  int ForksLeft() const { return forks_expected_ - forks_seen_; }

  // The current child handed over to its sibling `pid`: ours too, and not reaped yet, so the pid
  // cannot be anybody else's.
  Status Succeed(pid_t pid) {
    Fd pidfd = TRY(sys::PidfdOpen(pid));
    static_cast<void>(sys::WaitChild(child_.pid));
    child_ = Launched{pid, std::move(pidfd)};
    ++forks_seen_;
    if (ForksLeft() == 0) return Started();
    return {};
  }

  Status Started() { return observer_.started ? observer_.started(child_.pid) : Status(); }

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
      case SyncPoint::kHostHooks:
        if (observer_.host_hooks) TRY(observer_.host_hooks(child_.pid));
        break;
      case SyncPoint::kLimits:
        TRY(ApplyLimits(child_.pid, plan_.process));
        break;
    }
    char go = 1;
    return sys::Send(channel_.get(), &go, 1);
  }

  // The channel closed without a word: somebody killed the child.
  Status Died() {
    int code = TRY(sys::WaitChild(std::exchange(child_.pid, -1)));
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
  Fd image = TRY(sys::SealedExecutable("kiste-launcher", LauncherImage()));
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
  request.inherit = compiled.builder.inherited();
  auto spawned = TRY(SpawnOn(plan.process.initial_cpus, request));
  channel.theirs.Reset();
  Launched child{spawned.pid, std::move(spawned.pidfd)};
  return Dialogue(plan, observer, compiled, std::move(child), std::move(channel.ours)).Run();
}

bool WaitsForStart(int directory, const std::string& name) {
  return sys::ConnectAt(directory, name).has_value();
}

Status ReleaseStart(int directory, const std::string& name) {
  auto connection = sys::ConnectAt(directory, name);
  if (!connection) return Fail(ErrorKind::kNotFound, "no process waits for start");
  TRY(sys::Send(connection->get(), &launcher::kStartByte, 1));
  Report report{};
  bool executing = false;
  while (TRY(NextReport(connection->get(), report))) {
    if (report.kind == ReportKind::kExec) executing = true;
    if (report.kind != ReportKind::kFailed) continue;
    std::string_view step = report.op == Op::kExec      ? "exec"
                            : report.op == Op::kHooks   ? "hooks.startContainer"
                            : report.op == Op::kSeccomp ? "linux.seccomp: install the filter"
                                                        : "start";
    return std::unexpected(ReportedError(report, std::string(step)));
  }
  if (executing) return {};
  return Fail(ErrorKind::kSystem, "the container's process died before it was started");
}

}  // namespace kiste::isolation
