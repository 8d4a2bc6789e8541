// SPDX-License-Identifier: Apache-2.0
#include "runtime/create.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>

#include "base/defer.h"
#include "base/json.h"
#include "base/strings.h"
#include "oci/parse.h"
#include "runtime/environment.h"
#include "runtime/hooks.h"
#include "runtime/state_text.h"
#include "runtime/systemd_unit.h"
#include "sys/file.h"
#include "sys/pidfd.h"
#include "sys/procfs.h"
#include "sys/socket.h"

namespace kiste::runtime {

namespace {

namespace cg = sys::cgroup;

constexpr char kConfigName[] = "config.json";
constexpr int kKillMs = 2000;  // how long a SIGKILL may take

struct Bundle {
  std::string path;
  std::string config_name;  // of the configuration, for errors
  std::string text;
  oci::Config config;
  std::string rootfs;
};

// The configuration that is read: the bundle's, or the one that is given for it.
Result<std::string> ReadConfigText(const std::string& bundle, const std::string& config_file) {
  if (config_file.empty())
    return sys::ReadRegularFile(StrCat(bundle, "/", kConfigName), json::kMaxBytes);
  return TRY_CONTEXT(sys::ReadRegularFile(config_file, json::kMaxBytes), "--config");
}

Result<Bundle> ReadBundle(const std::string& given, const std::string& config_file) {
  Bundle bundle;
  bundle.path = TRY_CONTEXT(sys::RealPath(given), "--bundle");
  bundle.config_name = config_file.empty() ? kConfigName : config_file;
  bundle.text = TRY(ReadConfigText(bundle.path, config_file));
  bundle.config = TRY(oci::ParseConfig(bundle.text, bundle.config_name));
  if (!bundle.config.process)
    return Invalid(StrCat(bundle.config_name, ": process: expected what to run, found nothing"));
  const auto& root = bundle.config.root_path;
  std::string path = root[0] == '/' ? root : StrCat(bundle.path, "/", root);
  auto resolved = sys::RealPath(path);
  if (!resolved) return Context(std::move(resolved), StrCat(bundle.config_name, ": root.path"));
  bundle.rootfs = std::move(*resolved);
  auto status = TRY(sys::StatAt(AT_FDCWD, bundle.rootfs));
  if (!S_ISDIR(status.st_mode)) {
    return Invalid(
        StrCat(bundle.config_name, ": root.path: expected a directory, found ", bundle.rootfs));
  }
  return bundle;
}

// What the specification has and this runtime not yet: refused, never silently left out.
Status CheckSupported(const oci::Config& config) {
  std::string_view field;
  if (config.linux.intel_rdt) field = "linux.intelRdt";
  if (!config.linux.net_devices.empty()) field = "linux.netDevices";
  if (!config.linux.mount_label.empty()) field = "linux.mountLabel";
  if (field.empty()) return {};
  return Fail(ErrorKind::kUnsupported, StrCat(kConfigName, ": ", field, ": not supported yet"));
}

Status CheckConsole(const CreateRequest& request, const oci::Process& process) {
  bool given = !request.console_socket.empty() || request.console;
  if (process.terminal && !given) {
    return Invalid(
        "process.terminal: a detached container needs --console-socket for its terminal");
  }
  if (!process.terminal && !request.console_socket.empty()) {
    return Invalid("--console-socket: process.terminal is false, there is no terminal to send");
  }
  return {};
}

// Whether an ordinary user's want of cgroups can be overlooked: nothing there was asked for.
bool CgroupsDispensable(const Caller& caller, const Error& error) {
  int code = error.errno_value;
  return caller.rootless && (code == EACCES || code == EPERM || code == EROFS || code == ENOENT);
}

struct Cgroups {
  cg::Layout layout;
  std::optional<cg::Cgroup> cgroup;  // none: the container stays in the caller's
  std::optional<PlannedUnit> unit;   // systemd makes the cgroup once the process is there
  bool entered = false;              // and has done so
};

// A container's cgroup is killed and removed with it: one that somebody else's processes are in can
// never be taken (the root cgroup for one).
Status CheckNobodyInside(const cg::Cgroup& cgroup) {
  auto pids = TRY(cgroup.Pids());
  if (pids.empty()) return {};
  return Fail(ErrorKind::kExists,
              StrCat("linux.cgroupsPath: the cgroup exists already and holds ", pids.size(),
                     pids.size() == 1 ? " process" : " processes"));
}

// Nor one that is frozen: the container would never get anywhere.
Status CheckUsable(const cg::Cgroup& cgroup) {
  TRY(CheckNobodyInside(cgroup));
  if (!TRY(cgroup.IsFrozen())) return {};
  return Fail(ErrorKind::kState, "linux.cgroupsPath: the cgroup exists already and is frozen");
}

// The cgroup of a unit that does not exist yet.
Status PlanUnitCgroup(const CreateRequest& request, const oci::Config& config, const Caller& caller,
                      Cgroups& planned) {
  planned.unit = TRY(PlanUnit(planned.layout, config, request.id, caller));
  planned.unit->request.resources = CgroupResources(config.linux.resources);
  // A user's manager rules over no devices.
  if (caller.rootless) planned.unit->request.resources.devices.clear();
  planned.cgroup = TRY(cg::Cgroup::Plan(planned.layout, planned.unit->cgroup_path));
  if (planned.cgroup->Exists()) return CheckUsable(*planned.cgroup);
  return {};
}

Result<Cgroups> PlanCgroups(const CreateRequest& request, const oci::Config& config,
                            const Caller& caller) {
  const auto& linux = config.linux;
  Cgroups planned;
  planned.layout = TRY(cg::Detect());
  if (request.systemd_cgroup) {
    TRY(PlanUnitCgroup(request, config, caller, planned));
    return planned;
  }
  if (request.no_cgroups || planned.layout.kind == cg::Kind::kNone) return planned;
  std::string path = linux.cgroups_path.empty() ? request.id : linux.cgroups_path;
  auto cgroup = cg::Cgroup::Plan(planned.layout, path);
  if (!cgroup && caller.rootless && linux.cgroups_path.empty()) return planned;
  if (!cgroup) return Context(std::move(cgroup), "linux.cgroupsPath");
  planned.cgroup.emplace(std::move(*cgroup));
  if (planned.cgroup->Exists()) TRY(CheckUsable(*planned.cgroup));
  return planned;
}

// An ordinary user may give nothing away: then it stays his, whom the container's root mostly is.
Status GiveCgroup(const oci::Config& config, const Caller& caller, const cg::Cgroup& cgroup) {
  auto owner = CgroupOwner(config);
  if (!owner || *owner == caller.uid || caller.rootless) return {};
  auto given = cgroup.Delegate(*owner);
  return given ? given : Context(std::move(given), "linux.cgroupsPath");
}

Status ApplyLimits(const CreateRequest& request, const oci::Config& config, const Caller& caller,
                   const cg::Cgroup& cgroup) {
  auto limits = CgroupResources(config.linux.resources);
  limits.devices_optional = caller.rootless;
  WarnOfPassedOver(cgroup, limits, request.warn);
  auto applied = cgroup.Apply(limits);
  if (applied) return GiveCgroup(config, caller, cgroup);
  if (!CgroupsDispensable(caller, applied.error())) {
    return Context(std::move(applied), "linux.resources");
  }
  request.warn(applied.error().Text());
  return {};
}

// Makes what is planned, with its limits; gives the plan up where an ordinary user may do without.
Status MakeCgroups(const CreateRequest& request, const oci::Config& config, const Caller& caller,
                   Cgroups& cgroups) {
  const auto& linux = config.linux;
  if (!cgroups.cgroup || cgroups.unit) return {};
  auto made = cgroups.cgroup->Make();
  if (!made) {
    cgroups.cgroup.reset();
    if (!CgroupsDispensable(caller, made.error())) {
      return Context(std::move(made), "linux.cgroupsPath");
    }
    if (!linux.cgroups_path.empty()) request.warn(made.error().Text());
    return {};
  }
  if (!cgroups.cgroup->created()) TRY(CheckUsable(*cgroups.cgroup));
  return ApplyLimits(request, config, caller, *cgroups.cgroup);
}

// The same with systemd, for which the process must be there.
Status EnterUnit(const CreateRequest& request, const oci::Config& config, const Caller& caller,
                 Cgroups& cgroups, pid_t pid) {
  auto& unit = *cgroups.unit;
  TRY(cg::systemd::EnterUnit(unit.manager, unit.request, pid, *cgroups.cgroup));
  cgroups.entered = true;
  return ApplyLimits(request, config, caller, *cgroups.cgroup);
}

// Takes back what was made, with whatever runs in it.
void RemoveCgroups(Cgroups& cgroups) {
  if (!cgroups.cgroup || (cgroups.unit && !cgroups.entered)) return;
  if (cgroups.unit || cgroups.cgroup->created()) {
    static_cast<void>(cgroups.cgroup->KillAll(SIGKILL));
  }
  if (!cgroups.unit) return cgroups.cgroup->Undo();
  static_cast<void>(cgroups.unit->manager.Stop(cgroups.unit->request.place.unit));
  static_cast<void>(cgroups.cgroup->Remove(std::chrono::seconds(1)));
}

int AllNamespaces(const oci::Linux& linux) {
  int flags = 0;
  for (const auto& ns : linux.namespaces) flags |= ns.flag;
  return flags;
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
                            .no_pivot = request.no_pivot}));
  plan.hostname = config.hostname;
  plan.domainname = config.domainname;
  plan.sysctls = PlanSysctls(config);
  oci::State creating = container.State(ContainerStatus::kCreating);
  oci::State created = container.State(ContainerStatus::kCreated);
  plan.create_container = {config.hooks.create_container, StateTemplate(creating)};
  plan.start_container = {config.hooks.start_container, StateTemplate(created)};
  Fd seccomp_cache = config.linux.seccomp ? store.SeccompCache() : Fd();
  const auto* user = config.linux.Find(CLONE_NEWUSER);
  plan.process =
      TRY(PlanProcess({.process = *config.process,
                       .linux = config.linux,
                       .own_user_namespace = user != nullptr,
                       .set_groups = !plan.namespaces.deny_setgroups,
                       .seccomp_cache = seccomp_cache.get(),
                       .seccomp_state = SeccompStateTemplate(creating, config.linux),
                       .keyring = request.no_new_keyring ? "" : StrCat("_ses.", request.id),
                       .preserve_fds = request.preserve_fds,
                       .warn = request.warn}));
  AddListenFds(request.preserve_fds, plan.process.env);
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

// The process exists: from here on `delete` can find it.
Status RecordProcess(Container& container, pid_t pid) {
  auto stat = TRY(sys::StatProcess(pid));
  container.record.pid = pid;
  container.record.start_time = stat.start_time;
  return container.folder.Save(container.record);
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
  return isolation::Launch(plan, observer);
}

Record NewRecord(const CreateRequest& request, const Bundle& bundle, const Cgroups& cgroups,
                 const Caller& caller) {
  Record record{
      .id = request.id, .bundle = bundle.path, .rootfs = bundle.rootfs, .created = TimestampNow()};
  record.namespaces = AllNamespaces(bundle.config.linux);
  record.owner = caller.uid;
  record.rootless = caller.rootless;
  if (cgroups.cgroup) record.cgroups = cgroups.cgroup->paths();
  if (cgroups.unit) {
    record.systemd_unit = cgroups.unit->request.place.unit;
    record.systemd_user = caller.rootless;
  }
  record.annotations = bundle.config.annotations;
  return record;
}

Result<isolation::Launched> PlanAndLaunch(const Store& store, CreateRequest& request,
                                          const Bundle& bundle, Cgroups& cgroups,
                                          const Caller& caller, Container& container) {
  auto plan = TRY_STEP(Plan(store, request, bundle, container, cgroups, caller), "plan");
  Fd pidfd_socket = TRY_STEP(ConnectPidfdSocket(request.pidfd_socket), "pidfd-socket");
  isolation::LaunchObserver observer;
  observer.enter_cgroup = [&](pid_t pid) {
    return EnterUnit(request, bundle.config, caller, cgroups, pid);
  };
  auto launched = TRY_STEP(
      LaunchContainer(plan, std::move(observer), bundle.config.hooks, container), "launch");
  TRY_STEP(TellPid(request.pid_file, pidfd_socket, "standard", launched), "pid-file");
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
  TRY_STEP(CheckSupported(bundle.config), "bundle");
  TRY_STEP(CheckConsole(request, *bundle.config.process), "terminal");
  Caller caller = CurrentCaller();
  if (request.rootless) caller.rootless = *request.rootless;

  Container container{TRY_STEP(store.Create(request.id), "state"), Record{}};
  Defer remove_folder([&] {
    // What does not die, frozen or waiting for a device, is left to `delete --force`.
    if (!container.Process()) static_cast<void>(container.folder.Remove());
  });
  TRY_STEP(container.folder.SaveConfig(bundle.text), "state");
  auto cgroups = TRY_STEP(PlanCgroups(request, bundle.config, caller), "cgroups");
  // Written down before it is made: whatever a killed create leaves, `delete --force` finds.
  container.record = NewRecord(request, bundle, cgroups, caller);
  TRY(container.folder.Save(container.record));
  Defer remove_cgroups([&] { RemoveCgroups(cgroups); });
  TRY_STEP(MakeCgroups(request, bundle.config, caller, cgroups), "cgroups");
  if (!cgroups.cgroup) container.record.cgroups.clear();

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
  auto cgroup = cgroups.cgroup ? std::move(*cgroups.cgroup) : TRY(cg::Cgroup::Open({}));
  return Created{std::move(container), std::move(bundle.config), std::move(cgroup),
                 std::move(*launched)};
}

}  // namespace kiste::runtime
