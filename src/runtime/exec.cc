// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec.h"

#include <fcntl.h>
#include <sched.h>

#include "base/json.h"
#include "base/strings.h"
#include "oci/parse.h"
#include "runtime/container.h"
#include "runtime/create.h"
#include "runtime/environment.h"
#include "runtime/foreground.h"
#include "runtime/intel_rdt.h"
#include "runtime/state_text.h"
#include "runtime/systemd_unit.h"
#include "sys/file.h"
#include "sys/pidfd.h"
#include "sys/socket.h"

namespace kiste::runtime {

namespace {

// A process object of its own has what it has; capabilities, limits and labels that it does not
// name are the container's.
Result<oci::Process> ProcessFromFile(const std::string& file, Deadline deadline,
                                     const oci::Process& container) {
  std::string path = file == "-" ? "/dev/stdin" : file;  // as in crun
  std::string text = TRY_CONTEXT(sys::ReadFileWithin(path, json::kMaxBytes, deadline), "--process");
  auto process = TRY(oci::ParseProcess(std::move(text), file));
  if (!process.capabilities) process.capabilities = container.capabilities;
  if (!process.oom_score_adj) process.oom_score_adj = container.oom_score_adj;
  if (process.rlimits.empty()) process.rlimits = container.rlimits;
  if (process.apparmor_profile.empty()) process.apparmor_profile = container.apparmor_profile;
  if (process.selinux_label.empty()) process.selinux_label = container.selinux_label;
  if (!process.exec_cpu_affinity) process.exec_cpu_affinity = container.exec_cpu_affinity;
  return process;
}

void AddCapabilities(const std::vector<int>& added, oci::Process& process) {
  if (added.empty()) return;
  uint64_t bits = 0;
  for (int capability : added) bits |= uint64_t{1} << capability;
  auto& sets = process.capabilities;
  if (!sets) sets.emplace();
  for (auto* set : {&sets->bounding, &sets->effective, &sets->permitted})
    *set = set->value_or(0) | bits;
}

// What an exec goes by in a container whose config.json has no process.
oci::Process NoProcess() {
  oci::Process process;
  process.cwd = "/";
  return process;
}

Result<oci::Process> ResolveProcess(const ExecOptions& options, Deadline deadline,
                                    const oci::Process& container) {
  if (!options.process_file.empty()) {
    auto process = TRY(ProcessFromFile(options.process_file, deadline, container));
    process.terminal = process.terminal || options.terminal;
    return process;
  }
  oci::Process process = container;
  process.args = options.args;
  process.env.insert(process.env.end(), options.env.begin(), options.env.end());
  if (!options.cwd.empty()) process.cwd = options.cwd;
  process.user.uid = options.uid.value_or(process.user.uid);
  process.user.gid = options.gid.value_or(process.user.gid);
  if (!options.additional_gids.empty()) process.user.additional_gids = options.additional_gids;
  AddCapabilities(options.capabilities, process);
  process.no_new_privileges = options.no_new_privileges.value_or(process.no_new_privileges);
  process.terminal = options.terminal;
  process.console_size.reset();
  if (!options.apparmor_profile.empty()) process.apparmor_profile = options.apparmor_profile;
  if (!options.selinux_label.empty()) process.selinux_label = options.selinux_label;
  return process;
}

Status CheckStatus(const Container& container, bool ignore_paused) {
  auto status = TRY(container.Status());
  if (status == ContainerStatus::kPaused && !ignore_paused) {
    return Fail(ErrorKind::kState, StrCat("cannot exec in container ", Quote(container.record.id),
                                          ": it is paused (--ignore-paused overrides)"));
  }
  if (status == ContainerStatus::kStopped || status == ContainerStatus::kCreating) {
    return Fail(ErrorKind::kState, StrCat("cannot exec in container ", Quote(container.record.id),
                                          ": it is ", StatusName(status)));
  }
  return {};
}

bool SetgroupsAllowed(pid_t pid) {
  auto text = sys::ReadFileAt(AT_FDCWD, StrCat("/proc/", pid, "/setgroups"), 64);
  return !text || !text->starts_with("deny");
}

Status JoinCgroups(const ExecRequest& request, const Record& record, isolation::CgroupPlan& plan) {
  if (record.cgroups.empty()) return {};
  auto cgroup = TRY(sys::cgroup::Cgroup::Open(record.cgroups));
  if (!request.cgroups.empty()) cgroup = TRY_CONTEXT(cgroup.OpenSub(request.cgroups), "--cgroup");
  // From outside of what is delegated to a user only systemd can move processes in.
  if (record.systemd_user && !TRY(cgroup.MayEnter())) {
    plan.by_runtime = true;
    return {};
  }
  auto join = cgroup.OpenForJoining();
  if (!join && record.rootless) return {};  // somebody else's cgroup: it stays in the caller's
  if (!join) return std::unexpected(std::move(join).error());
  plan.tasks = std::move(join->tasks);
  plan.directory = std::move(join->cgroup2);
  return {};
}

Result<isolation::LaunchPlan> Plan(const Store& store, const ExecRequest& request,
                                   const Container& container, const oci::Process& process,
                                   const oci::Config& config) {
  isolation::LaunchPlan plan;
  const auto& record = container.record;
  bool user_namespace = (record.namespaces & CLONE_NEWUSER) != 0;
  isolation::NamespaceJoin join;
  join.fd = TRY(container.Process());
  join.flags = record.namespaces;
  join.path = StrCat("of process ", record.pid);
  plan.id = record.id;
  plan.patience = store.patience();
  plan.scratch = store.directory();
  plan.privileged_runtime = CurrentCaller().uid == 0;
  plan.namespaces.become_root = user_namespace;
  if ((record.namespaces & CLONE_NEWNS) == 0) {
    plan.chroot_to = TRY(sys::Open(StrCat("/proc/", record.pid, "/root"), O_PATH | O_DIRECTORY));
  }
  TRY_STEP(JoinCgroups(request, record, plan.cgroup), "cgroups");
  Fd seccomp_cache = config.linux.seccomp ? store.SeccompCache() : Fd();
  oci::State state = container.State(ContainerStatus::kRunning);
  plan.process = TRY(PlanProcess({.process = process,
                                  .linux = config.linux,
                                  .own_user_namespace = user_namespace,
                                  .set_groups = !user_namespace || SetgroupsAllowed(record.pid),
                                  .keep_groups = KeepsGroups(config.annotations),
                                  .seccomp_cache = seccomp_cache.get(),
                                  .seccomp_state = SeccompStateTemplate(state, config.linux),
                                  .keyring = StrCat("_ses.", record.id),
                                  .preserve_fds = request.preserve_fds,
                                  .warn = request.warn}));
  // What was opened by the number of the first process is of that one only if it is there still.
  if (TRY(sys::PidfdWaitExit(join.fd.get(), 0))) return NotRunning(record.id);
  if (record.namespaces != 0) plan.namespaces.join.push_back(std::move(join));
  PlanExecAffinity(process, plan.process);
  AddListenFds(request.preserve_fds, plan.process.env);
  return plan;
}

isolation::LaunchObserver Observer(const ExecRequest& request, const Record& record) {
  isolation::LaunchObserver observer;
  observer.started = [&](pid_t pid) { return JoinRdt(record.rdt, pid); };
  observer.enter_cgroup = [&](pid_t pid) {
    return AttachToUnit(record, request.cgroups.empty() ? "" : request.cgroups.back().path, pid);
  };
  return observer;
}

// On v2 a cgroup whose controllers are enabled for those below takes no process itself (EBUSY): a
// container that has made itself such ones is joined where its first process is, as in runc.
Result<isolation::Launched> LaunchInside(const ExecRequest& request, const Record& record,
                                         isolation::LaunchPlan& plan) {
  auto launched = isolation::Launch(plan, Observer(request, record));
  bool busy = !launched && launched.error().errno_value == EBUSY && plan.cgroup.directory;
  if (!busy || !request.cgroups.empty()) return launched;
  auto cgroup = TRY(sys::cgroup::Cgroup::Open(record.cgroups));
  auto around = TRY(cgroup.OpenAround(record.pid));
  auto join = TRY(around.OpenForJoining());
  plan.cgroup.tasks = std::move(join.tasks);
  plan.cgroup.directory = std::move(join.cgroup2);
  return isolation::Launch(plan, Observer(request, record));
}

}  // namespace

Result<int> Exec(const Store& store, const ExecRequest& request) {
  TRY(CheckPreservedFds(request.preserve_fds));
  auto container = TRY(LoadContainer(store, request.id));
  TRY_STEP(CheckStatus(container, request.ignore_paused), "state");
  auto config = TRY_STEP(container.folder.LoadConfig(), "state");
  auto process = TRY(ResolveProcess(request.options, Deadline::In(store.patience()),
                                    config.process.value_or(NoProcess())));
  auto plan = TRY_STEP(Plan(store, request, container, process, config), "plan");
  Fd terminal_from;
  if (process.terminal && !request.console_socket.empty()) {
    plan.process.console_socket =
        TRY_CONTEXT(sys::ConnectStream(request.console_socket, Deadline::In(store.patience())),
                    "--console-socket");
  } else if (process.terminal && request.detach) {
    return Invalid("--tty --detach: needs --console-socket for the terminal");
  } else if (process.terminal) {
    auto pair = TRY(sys::MakeSocketPair());
    terminal_from = std::move(pair.ours);
    plan.process.console_socket = std::move(pair.theirs);
  } else if (!request.console_socket.empty()) {
    return Invalid("--console-socket: there is no terminal to send (--tty is not given)");
  }
  Fd pidfd_socket = TRY(ConnectPidfdSocket(request.pidfd_socket));
  if (request.detach) {
    auto launched = TRY_STEP(LaunchInside(request, container.record, plan), "launch");
    TRY(TellPid(request.pid_file, pidfd_socket, "setns", launched));
    return 0;
  }
  auto signals = TRY(SignalGuard::Block());
  auto launched = TRY_STEP(LaunchInside(request, container.record, plan), "launch");
  TRY(TellPid(request.pid_file, pidfd_socket, "setns", launched));
  Fd terminal;
  if (terminal_from) terminal = TRY(sys::ReceiveDescriptor(terminal_from.get()));
  return WaitForeground(launched, signals, std::move(terminal));
}

}  // namespace kiste::runtime
