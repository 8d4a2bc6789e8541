// SPDX-License-Identifier: Apache-2.0
#include "runtime/create.h"

#include <fcntl.h>
#include <sched.h>

#include "base/defer.h"
#include "base/strings.h"
#include "runtime/environment.h"
#include "runtime/hooks.h"
#include "runtime/host_root.h"
#include "runtime/intel_rdt.h"
#include "runtime/making.h"
#include "runtime/net_devices.h"
#include "runtime/state_text.h"
#include "sys/file.h"
#include "sys/pidfd.h"
#include "sys/socket.h"

namespace kiste::runtime {

namespace {

namespace cg = sys::cgroup;

constexpr int kKillMs = 2000;  // how long a SIGKILL may take

// An ordinary user has no power over the host's devices.
Status CheckNetDevices(const oci::Config& config, const Caller& caller) {
  if (config.linux.net_devices.empty() || !caller.rootless) return {};
  return Fail(ErrorKind::kUnsupported,
              "linux.netDevices: only the host's root can move network devices");
}

// Without a process there is a container, and nothing in it that could be started (config.md,
// "Process": required "when start is called").
Status CheckProcess(const CreateRequest& request, Bundle& bundle) {
  if (bundle.config.process) return {};
  if (!request.wait_for_start)
    return Invalid("config.json: process: expected what to run, found nothing");
  bundle.process_absent = true;
  bundle.config.process.emplace().cwd = "/";
  return {};
}

Result<isolation::LaunchPlan> Plan(const Store& store, CreateRequest& request, const Bundle& bundle,
                                   const Container& container, const Cgroups& cgroups,
                                   const Caller& caller) {
  const auto& config = bundle.config;
  isolation::LaunchPlan plan;
  plan.id = request.id;
  plan.patience = store.patience();
  plan.scratch = store.directory();
  plan.privileged_runtime = caller.uid == 0;
  plan.namespaces = TRY(PlanNamespaces(config, caller));
  plan.cgroup.by_runtime = cgroups.unit.has_value();
  if (cgroups.cgroup && !cgroups.unit) {
    auto join = TRY(cgroups.cgroup->OpenForJoining());
    plan.cgroup.tasks = std::move(join.tasks);
    plan.cgroup.directory = std::move(join.cgroup2);
  }
  plan.root = TRY(PlanRoot({.config = config,
                            .bundle = bundle.path,
                            .rootfs = bundle.rootfs,
                            .layout = cgroups.layout,
                            .cgroup = cgroups.cgroup ? &*cgroups.cgroup : nullptr,
                            .caller = caller,
                            .no_pivot = request.no_pivot,
                            .warn = request.warn}));
  plan.network_by_runtime = !config.linux.net_devices.empty();
  plan.hostname = config.hostname;
  plan.domainname = config.domainname;
  plan.sysctls = PlanSysctls(config);
  oci::State creating = container.State(ContainerStatus::kCreating);
  oci::State created = container.State(ContainerStatus::kCreated);
  // The image's variables must not steer the host's programs (docs/decisions/0014).
  plan.create_container = {config.hooks.create_container, StateTemplate(creating),
                           OwnEnvironment()};
  Fd seccomp_cache = config.linux.seccomp ? store.SeccompCache() : Fd();
  const auto* user = config.linux.Find(CLONE_NEWUSER);
  plan.process =
      TRY(PlanProcess({.process = *config.process,
                       .linux = config.linux,
                       .absent = bundle.process_absent,
                       .own_user_namespace = user != nullptr,
                       .set_groups = !plan.namespaces.deny_setgroups,
                       .keep_groups = KeepsGroups(config.annotations),
                       .seccomp_cache = seccomp_cache.get(),
                       .seccomp_state = SeccompStateTemplate(creating, config.linux),
                       .keyring = request.no_new_keyring ? "" : StrCat("_ses.", request.id),
                       .preserve_fds = request.preserve_fds,
                       .warn = request.warn}));
  AddListenFds(request.preserve_fds, plan.process.env);
  plan.start_container = {config.hooks.start_container, StateTemplate(created), plan.process.env};
  if (plan.process.terminal) {
    plan.process.console_socket =
        request.console ? std::move(request.console)
                        : TRY_CONTEXT(sys::ConnectStream(request.console_socket,
                                                         Deadline::In(store.patience())),
                                      "--console-socket");
  }
  if (request.wait_for_start)
    plan.start_listener = TRY(sys::ListenAt(container.folder.directory(), kStartSocket));
  return plan;
}

Result<isolation::Launched> LaunchContainer(const isolation::LaunchPlan& plan,
                                            isolation::LaunchObserver observer,
                                            const oci::Hooks& hooks, Container& container) {
  observer.started = [&](pid_t pid) { return RecordProcess(container, pid); };
  if (!hooks.prestart.empty() || !hooks.create_runtime.empty()) {
    observer.host_hooks = [&](pid_t) -> Status {
      oci::State state = container.State(ContainerStatus::kCreating);
      TRY_STEP(RunHooks(hooks.prestart, state, "hooks.prestart"), "hooks");
      return AtStep(RunHooks(hooks.create_runtime, state, "hooks.createRuntime"), "hooks");
    };
  }
  auto launched = TRY(isolation::Launch(plan, observer));
  auto made = RecordMade(container);
  if (made) return launched;
  sys::KillChild(launched.pidfd.get(), launched.pid, kKillMs);
  return std::unexpected(std::move(made).error());
}

// A socket for the service manager's sake; listening where the program runs at once.
Result<NotifySocket> OfferNotify(const CreateRequest& request, oci::Config& config,
                                 const ContainerFolder& folder) {
  if (request.manager_socket.empty() || config.linux.Find(CLONE_NEWNS) == nullptr)
    return NotifySocket();
  TRY(OfferNotifySocket(folder, config));
  if (request.wait_for_start) return NotifySocket();
  return NotifySocket::Listen(folder, request.manager_socket);
}

Result<isolation::Launched> PlanAndLaunch(const Store& store, CreateRequest& request,
                                          const Bundle& bundle, Cgroups& cgroups,
                                          const Caller& caller, Container& container) {
  auto plan = TRY_STEP(Plan(store, request, bundle, container, cgroups, caller), "plan");
  Fd pidfd_socket = TRY_STEP(ConnectPidfdSocket(request.pidfd_socket), "pidfd-socket");
  NetDevices devices;
  Defer bring_devices_back([&] { devices.Undo(); });
  isolation::LaunchObserver observer;
  observer.enter_cgroup = [&](pid_t pid) {
    return EnterUnit(request, bundle.config, caller, cgroups, pid);
  };
  observer.move_devices = [&](pid_t pid) {
    return devices.Move(bundle.config.linux.net_devices, pid);
  };
  auto launched = TRY_STEP(
      LaunchContainer(plan, std::move(observer), bundle.config.hooks, container), "launch");
  TRY_STEP(TellPid(request.pid_file, pidfd_socket, "standard", launched), "pid-file");
  bring_devices_back.Cancel();
  return launched;
}

}  // namespace

Status CheckPreservedFds(unsigned count) {
  for (unsigned fd = 3; fd < 3 + count; ++fd) {
    if (fcntl(static_cast<int>(fd), F_GETFD) < 0) {
      return Invalid(StrCat("--preserve-fds ", count, ": descriptor ", fd, " is not open"));
    }
  }
  return {};
}

Result<Fd> ConnectPidfdSocket(const std::string& path) {
  if (path.empty()) return Fd();
  return TRY_CONTEXT(sys::ConnectStream(path), "--pidfd-socket");
}

Status TellPid(const std::string& pid_file, const Fd& pidfd_socket, const std::string& kind,
               const isolation::Launched& process) {
  Status written;
  if (pidfd_socket) {
    written = sys::SendDescriptor(pidfd_socket.get(), process.pidfd.get(), kind);
    if (!written) written = Context(std::move(written), "--pidfd-socket");
  }
  if (written) written = WritePidFile(pid_file, process.pid);
  if (written) return {};
  sys::KillChild(process.pidfd.get(), process.pid, kKillMs);
  return written;
}

Status WritePidFile(const std::string& path, pid_t pid) {
  if (path.empty()) return {};
  size_t slash = path.find_last_of('/');
  std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  Fd folder = TRY_CONTEXT(sys::Open(directory, O_PATH | O_DIRECTORY), "--pid-file");
  auto written = sys::ReplaceFileAt(folder.get(), name, StrCat(pid), 0644);
  if (!written) return Context(std::move(written), "--pid-file");
  return {};
}

Result<Created> Create(const Store& store, CreateRequest request) {
  TRY(ValidateId(request.id));
  TRY(CheckPreservedFds(request.preserve_fds));
  auto bundle = TRY_STEP(ReadBundle(request.bundle, request.config_file), "bundle");
  TRY_STEP(CheckProcess(request, bundle), "bundle");
  TRY_STEP(CheckConsole(request, *bundle.config.process), "terminal");
  Caller caller = CurrentCaller();
  if (request.rootless) caller.rootless = *request.rootless;
  TRY_STEP(CheckNetDevices(bundle.config, caller), "bundle");

  Container container{TRY_STEP(store.Create(request.id), "state"), Record{}};
  Defer remove_folder([&] {
    // What does not die, frozen or waiting for a device, is left to `delete --force`.
    if (!container.Process()) static_cast<void>(container.folder.Remove());
  });
  TRY_STEP(container.folder.SaveConfig(bundle.text), "state");
  auto notify = TRY_STEP(OfferNotify(request, bundle.config, container.folder), "notify-socket");
  auto cgroups = TRY_STEP(PlanCgroups(request, bundle.config, caller), "cgroups");
  // Written down before it is made: whatever a killed create leaves, `delete --force` finds.
  container.record = NewRecord(store, request, bundle, cgroups, caller);
  if (MountsOnTheHost(bundle.config)) {
    container.record.host_root = TRY_STEP(LookBelowHostRoot(bundle.rootfs), "mounts");
  }
  TRY(container.folder.Save(container.record));
  Defer remove_cgroups([&] { RemoveCgroups(cgroups); });
  Defer remove_mounts([&] { static_cast<void>(RemoveHostRoot(container.record)); });
  Defer remove_rdt([&] { static_cast<void>(RemoveRdt(container.record.rdt)); });
  TRY_STEP(MakeCgroups(request, bundle.config, caller, cgroups), "cgroups");
  if (!cgroups.cgroup) container.record.cgroups.clear();
  TRY_STEP(MakeRdtGroups(bundle.config, container), "intel-rdt");

  auto launched = PlanAndLaunch(store, request, bundle, cgroups, caller, container);
  if (!launched) {
    if (container.record.pid != 0) {  // it has been created: it ends as containers do
      RunHooksTolerantly(bundle.config.hooks.poststop, container.State(ContainerStatus::kStopped),
                         "hooks.poststop", [&](const Error& error) { request.warn(error.Text()); });
    }
    return std::unexpected(std::move(launched).error());
  }
  remove_folder.Cancel();
  remove_cgroups.Cancel();
  remove_mounts.Cancel();
  remove_rdt.Cancel();
  auto cgroup = cgroups.cgroup ? std::move(*cgroups.cgroup) : TRY(cg::Cgroup::Open({}));
  return Created{std::move(container), std::move(bundle.config), std::move(cgroup),
                 std::move(*launched), std::move(notify)};
}

}  // namespace kiste::runtime
