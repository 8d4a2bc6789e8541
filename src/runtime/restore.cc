// SPDX-License-Identifier: Apache-2.0
#include "runtime/restore.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

#include "base/defer.h"
#include "base/json.h"
#include "base/strings.h"
#include "runtime/checkpoint.h"
#include "runtime/external.h"
#include "runtime/foreground.h"
#include "runtime/hooks.h"
#include "runtime/intel_rdt.h"
#include "runtime/lifecycle.h"
#include "runtime/making.h"
#include "runtime/net_devices.h"
#include "runtime/restored_labels.h"
#include "sys/file.h"
#include "sys/loopback.h"
#include "sys/pidfd.h"
#include "sys/socket.h"

namespace kiste::runtime {

namespace {

namespace criu = sys::criu;

constexpr int kKillMs = 2000;  // how long a SIGKILL may take

// The names of the standard streams when the container was dumped. None in the images of a criu
// that was used by itself.
Result<std::vector<std::string>> ReadStreams(const CriuFolders& folders) {
  constexpr size_t kLimit = 64 << 10;
  std::vector<std::string> names;
  auto text = sys::ReadFileAt(folders.images.get(), kDescriptorsFile, kLimit);
  if (!text && text.error().errno_value == ENOENT) return names;
  if (!text) return std::unexpected(std::move(text).error());
  auto document = TRY(json::Document::Parse(std::move(*text), kDescriptorsFile));
  auto read = document.root().ForEach([&](const json::Value& name) -> Status {
    names.push_back(TRY(name.String()));
    return {};
  });
  if (!read) return std::unexpected(std::move(read).error());
  return names;
}

// Lets our standard streams take the place of the container's old ones. criu has a stdout and
// stderr of its own, so they go to it under other numbers.
Status AddStreams(const std::vector<std::string>& names, std::vector<Fd>& fds,
                  criu::Options& options) {
  constexpr size_t kStreams = 3;
  constexpr int kAboveStreams = 10;
  for (size_t i = 0; i < names.size() && i < kStreams; ++i) {
    bool is_file = names[i].starts_with("file[");
    if (!is_file && !names[i].starts_with("pipe:") && !names[i].starts_with("tty[")) continue;
    std::vector<std::string> keys = {names[i]};
    // A file is looked for without its first letter first, and then taken as it is, not opened
    // anew.
    if (is_file) keys.push_back(names[i].substr(1));
    for (auto& key : keys) {
      Fd copy(fcntl(static_cast<int>(i), F_DUPFD_CLOEXEC, kAboveStreams));
      if (!copy) return Invalid(StrCat("standard descriptor ", i, ": expected it to be open"));
      options.inherited.push_back({std::move(key), copy.get()});
      fds.push_back(std::move(copy));
    }
  }
  return {};
}

// The container on its way back.
class Restoring {
 public:
  Restoring(const Store& store, RestoreRequest& request, const Bundle& bundle, Cgroups& cgroups,
            const Caller& caller, Container& container)
      : store_(store),
        request_(request),
        bundle_(bundle),
        cgroups_(cgroups),
        caller_(caller),
        container_(container) {}

  // The process, and the other end of its terminal if it has one and that was not sent away.
  struct Restored {
    isolation::Launched process;
    Fd terminal;
  };
  Result<Restored> Run() {
    if (!request_.create.console_socket.empty()) {
      console_ = TRY_CONTEXT(
          sys::ConnectStream(request_.create.console_socket, Deadline::In(store_.patience())),
          "--console-socket");
    }
    auto program = TRY(FindCriu());
    auto folders = TRY(OpenCriuFolders(request_.criu, "restore.log", Folders::kMustBeThere));
    auto options = TRY(Options(folders));
    TRY(MakeMountPoints(bundle_.config, bundle_.rootfs, bundle_.path));
    criu::Start start{.program = program};
    for (const auto& inherited : options.inherited) start.inherit.push_back(inherited.fd);
    // criu wants the root to be a mount. Where it lies, and the mount itself, only criu can see.
    start.root = bundle_.rootfs;
    start.over = options.root;
    start.reopen = {{folders.images.get(), request_.criu.image_path}};
    if (folders.work) start.reopen.emplace_back(folders.work.get(), request_.criu.work_path);
    auto service = TRY(criu::Service::Open(start));
    TRY_STEP(EnterCgroups(service.pid(), options), "cgroups");
    TRY_STEP(JoinRdt(container_.record.rdt, service.pid()), "intel-rdt");
    auto response = service.Ask(criu::EncodeRequest(criu::RequestType::kRestore, options),
                                [&](const criu::Response& told, Fd fd) {
                                  if (told.script == "pre-resume") return Label(service);
                                  return Hear(told, std::move(fd));
                                });
    auto closed = service.Close();
    if (response && !process_.pidfd)
      response = Fail(ErrorKind::kSystem, "criu did not say which process it has restored");
    if (!response) {
      End();
      return std::unexpected(WithCriuLog(std::move(response).error(), folders, service));
    }
    auto told = closed ? RecordMade(container_) : closed;
    if (told) told = WritePidFile(request_.create.pid_file, process_.pid);
    if (told) return Restored{std::move(process_), std::move(terminal_)};
    End();
    return std::unexpected(std::move(told).error());
  }

 private:
  Result<criu::Options> Options(const CriuFolders& folders) {
    const auto& config = bundle_.config;
    auto annotation = config.annotations.find("org.criu.config");
    bool annotated = annotation != config.annotations.end();
    auto options = CriuOptions(request_.criu, folders, annotated ? &annotation->second : nullptr);
    options.root = StrCat(store_.root(), "/", request_.create.id);
    options.evasive_devices = true;
    options.restore_sibling = true;
    options.tcp_close = request_.criu.tcp_close;
    options.lsm_profile = request_.criu.lsm_profile;
    options.lsm_mount_context = MountLabel();
    if (!cgroups_.cgroup && !request_.criu.manage_cgroups)
      options.manage_cgroups = criu::CgroupMode::kIgnore;
    if (cgroups_.cgroup && options.manage_cgroups == criu::CgroupMode::kStrict)
      options.manage_cgroups = TRY(StrictCgroups());
    auto mounts = TRY(ExternalMounts({.config = config,
                                      .bundle = bundle_.path,
                                      .rootfs = bundle_.rootfs,
                                      .layout = cgroups_.layout,
                                      .cgroup = cgroups_.cgroup ? &*cgroups_.cgroup : nullptr,
                                      .caller = caller_}));
    options.external_mounts = MountsToBind(mounts, config);
    auto namespaces = TRY(OpenNamespaces(config));
    options.inherited = std::move(namespaces.inherited);
    options.joined = std::move(namespaces.joined);
    fds_ = std::move(namespaces.fds);
    auto streams = TRY_CONTEXT(ReadStreams(folders), request_.criu.image_path);
    TRY(AddStreams(streams, fds_, options));
    return options;
  }

  // In this mode no cgroup may be there. The container's are made here: criu would take them for
  // others'. What it makes below new ones is new.
  Result<criu::CgroupMode> StrictCgroups() const {
    if (cgroups_.existing.empty()) return criu::CgroupMode::kFull;
    return Fail(ErrorKind::kExists,
                StrCat("--manage-cgroups-mode strict: expected no cgroup to be there, found ",
                       Quote(cgroups_.existing.front())));
  }

  // criu goes into the container's cgroups first: what it starts is there from the beginning, and
  // the cgroups of the images are those below.
  Status EnterCgroups(pid_t pid, criu::Options& options) {
    if (!cgroups_.cgroup) return {};
    if (cgroups_.unit) {
      TRY(EnterUnit(request_.create, bundle_.config, caller_, cgroups_, pid));
    } else {
      TRY(cgroups_.cgroup->Join(pid));
    }
    options.cgroup_roots = TRY(CgroupRoots(pid, cgroups_.cgroup->paths()));
    return {};
  }

  Status Hear(const criu::Response& told, Fd fd) {
    if (told.script == "setup-namespaces") return NamespacesAreThere(told.pid);
    if (told.script == "orphan-pts-master") return HandOver(std::move(fd));
    if (told.script == "post-restore") return Take(told.pid);
    return {};
  }

  Status NamespacesAreThere(pid_t pid) {
    const auto& config = bundle_.config;
    const auto* network = config.linux.Find(CLONE_NEWNET);
    // A namespace of its own is restored empty: what is in it is the engine's, but for loopback.
    if (network != nullptr && network->path.empty()) {
      Fd ns = TRY(sys::Open(StrCat("/proc/", pid, "/ns/net"), O_RDONLY));
      TRY(sys::BringLoopbackUp(ns.get()));
    }
    TRY(devices_.Move(config.linux.net_devices, pid));
    oci::State state = container_.State(ContainerStatus::kCreating);
    state.pid = pid;
    TRY_STEP(RunHooks(config.hooks.prestart, state, "hooks.prestart"), "hooks");
    return AtStep(RunHooks(config.hooks.create_runtime, state, "hooks.createRuntime"), "hooks");
  }

  Status HandOver(Fd fd) {
    if (!fd) return Invalid("message of criu: expected a terminal, found none");
    if (!console_) {
      terminal_ = std::move(fd);
      return {};
    }
    auto sent = sys::SendDescriptor(console_.get(), fd.get(), "/dev/ptmx");
    return sent ? Status() : Context(std::move(sent), "--console-socket");
  }

  Status Take(pid_t pid) {
    process_.pid = pid;
    process_.pidfd = TRY(sys::PidfdOpen(pid));
    // criu restores the clocks, too, for which it makes a time namespace: exec must find it.
    if (TRY(InOtherTime(pid))) container_.record.namespaces |= CLONE_NEWTIME;
    return RecordProcess(container_, pid);
  }

  // criu gives the processes their labels last, and lets them go on whatever it is told then: with
  // a wrong label they must not, so all of them end before it does.
  Status Label(const criu::Service& service) {
    const auto& config = bundle_.config;
    auto labelled = CheckRestoredLabel(*config.process, request_.criu.lsm_profile, process_.pid);
    if (labelled) labelled = LabelQueues(config, MountLabel(), process_.pid);
    if (labelled) return {};
    static_cast<void>(sys::PidfdSendSignal(process_.pidfd.get(), SIGKILL));
    if (cgroups_.cgroup) static_cast<void>(cgroups_.cgroup->KillAll(SIGKILL));
    service.Kill();
    return labelled;
  }

  // What criu writes in place of any context that a mount had.
  const std::string& MountLabel() const {
    const auto& given = request_.criu.lsm_mount_context;
    return given.empty() ? bundle_.config.linux.mount_label : given;
  }

  static Result<bool> InOtherTime(pid_t pid) {
    auto theirs = sys::StatAt(AT_FDCWD, StrCat("/proc/", pid, "/ns/time"));
    if (!theirs && theirs.error().errno_value == ENOENT) return false;  // a kernel before 5.6
    auto ours = TRY(sys::StatAt(AT_FDCWD, "/proc/self/ns/time"));
    return TRY(std::move(theirs)).st_ino != ours.st_ino;
  }

  // criu ends what it has made when it fails; this is for what comes after.
  void End() {
    if (process_.pidfd) sys::KillChild(process_.pidfd.get(), process_.pid, kKillMs);
    devices_.Undo();
  }

  const Store& store_;
  RestoreRequest& request_;
  const Bundle& bundle_;
  Cgroups& cgroups_;
  const Caller& caller_;
  Container& container_;
  std::vector<Fd> fds_;
  Fd console_, terminal_;
  NetDevices devices_;
  isolation::Launched process_;
};

// What `create` would refuse; the rest is for criu to find out.
Status CheckRestorable(const oci::Config& config) {
  if (!config.process) return Invalid("config.json: process: expected what to run, found nothing");
  isolation::ProcessPlan labels;
  TRY(PlanLabels(*config.process, labels));
  return CheckMountLabel(config.linux);
}

Status Check(const RestoreRequest& request, const Bundle& bundle) {
  TRY_STEP(CheckRestorable(bundle.config), "bundle");
  TRY_STEP(CheckProfileLoaded(*bundle.config.process, request.criu.lsm_profile), "bundle");
  bool needs_socket = request.detach || !request.create.console_socket.empty();
  if (needs_socket) TRY_STEP(CheckConsole(request.create, *bundle.config.process), "terminal");
  TRY(FindCriu());
  return {};
}

struct Made {
  Container container;
  oci::Config config;
  Restoring::Restored restored;
};

// As Create, with criu in the launcher's place.
Result<Made> Make(const Store& store, RestoreRequest& request) {
  TRY(ValidateId(request.create.id));
  auto bundle = TRY_STEP(ReadBundle(request.create.bundle), "bundle");
  Caller caller = CurrentCaller();
  if (request.create.rootless) caller.rootless = *request.create.rootless;
  TRY(Check(request, bundle));
  Container container{TRY_STEP(store.Create(request.create.id), "state"), Record{}};
  Defer remove_folder([&] {
    if (!container.Process()) static_cast<void>(container.folder.Remove());
  });
  TRY_STEP(container.folder.SaveConfig(bundle.text), "state");
  auto cgroups = TRY_STEP(PlanCgroups(request.create, bundle.config, caller), "cgroups");
  container.record = NewRecord(store, request.create, bundle, cgroups, caller);
  TRY(container.folder.Save(container.record));
  Defer remove_cgroups([&] { RemoveCgroups(cgroups); });
  Defer remove_rdt([&] { static_cast<void>(RemoveRdt(container.record.rdt)); });
  TRY_STEP(MakeCgroups(request.create, bundle.config, caller, cgroups), "cgroups");
  if (!cgroups.cgroup) container.record.cgroups.clear();
  TRY_STEP(MakeRdtGroups(bundle.config, container), "intel-rdt");
  Restoring restoring(store, request, bundle, cgroups, caller, container);
  auto restored = AtStep(restoring.Run(), "criu");
  if (!restored) return std::unexpected(std::move(restored).error());
  remove_folder.Cancel();
  remove_cgroups.Cancel();
  remove_rdt.Cancel();
  return Made{std::move(container), std::move(bundle.config), std::move(*restored)};
}

}  // namespace

Result<int> Restore(const Store& store, RestoreRequest request) {
  Warn warn = request.create.warn;
  if (request.detach) {
    TRY(Make(store, request));
    return 0;
  }
  if (request.subreaper) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  auto signals = TRY(SignalGuard::Block());
  auto made = TRY(Make(store, request));
  made.container.folder.Unlock();  // for who pauses or deletes it while it runs
  auto code = WaitForeground(made.restored.process, signals, std::move(made.restored.terminal));
  TRY(DeleteStopped(store, made.container, made.config, warn));
  return code;
}

}  // namespace kiste::runtime
