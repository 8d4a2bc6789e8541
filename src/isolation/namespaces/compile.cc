// SPDX-License-Identifier: Apache-2.0
#include "isolation/namespaces/compile.h"

#include <sched.h>
#include <signal.h>

#include <algorithm>

#include "base/strings.h"

namespace kiste::isolation {

using launcher::Op;

namespace {

// User and time namespaces need steps of their own before anything else is made in them, and a
// namespace that is joined must be entered before the others are made: then the launcher starts on
// the host and forks into the rest. Otherwise the first clone3 makes them all.
bool NeedsFork(const NamespacePlan& namespaces) {
  return !namespaces.join.empty() || (namespaces.create & (CLONE_NEWUSER | CLONE_NEWTIME)) != 0;
}

uint64_t Bits(int flags) { return static_cast<uint64_t>(static_cast<unsigned>(flags)); }

// The namespaces that one clone3 makes; the cgroup namespace is unshared after joining the cgroup,
// which becomes its root (cgroup_namespaces(7)).
uint64_t CloneFlags(const NamespacePlan& namespaces) {
  return Bits(namespaces.create) & ~Bits(CLONE_NEWUSER | CLONE_NEWTIME | CLONE_NEWCGROUP);
}

// Once among the container's processes, the launcher of an exec holds nothing of the host's, unless
// something has to be written to its own files in /proc.
bool NeedsProc(const LaunchPlan& plan) {
  const auto& process = plan.process;
  bool oom = process.oom_score_adj && plan.privileged_runtime;
  return plan.root || plan.mount_change || oom || !process.apparmor_profile.empty() ||
         !process.selinux_label.empty() || process.seccomp.listener;
}

bool JoinsUserNamespace(const NamespacePlan& namespaces) {
  return std::ranges::any_of(
      namespaces.join, [](const NamespaceJoin& join) { return (join.flags & CLONE_NEWUSER) != 0; });
}

// Whether the launcher is hidden before it enters any namespace. An exec is, and who joins a user
// namespace: who has CAP_SYS_PTRACE in that one, and sees this process, as in the host's pid
// namespace, could take the host's uid and descriptors from it between setns(2) and setresuid(2).
bool HiddenFirst(const LaunchPlan& plan) {
  return !plan.root || JoinsUserNamespace(plan.namespaces);
}

// What a hidden process of an ordinary user's cannot do to itself in /proc any more comes first.
void HideFirst(const LaunchPlan& plan, ProgramBuilder& builder) {
  if (!plan.privileged_runtime) CompileLimits(plan.process, builder);
  if ((plan.namespaces.create & CLONE_NEWTIME) != 0)
    builder.Add({.op = Op::kOpenTimeOffsets}, "open timens_offsets (linux.timeOffsets)");
  if (!NeedsProc(plan)) builder.Add({.op = Op::kCloseProc}, "close /proc");
  // Not left to kUser: the user namespace may be one in which setgroups(2) is denied, by a process
  // of the container's even (user_namespaces(7)).
  if (plan.privileged_runtime && JoinsUserNamespace(plan.namespaces) && !plan.process.keep_groups)
    builder.Add({.op = Op::kDropGroups}, "setgroups");
  builder.Add({.op = Op::kHide}, "prctl PR_SET_DUMPABLE");
}

void EnterNamespaces(const LaunchPlan& plan, Compiled& compiled) {
  const auto& namespaces = plan.namespaces;
  auto& builder = compiled.builder;
  if (HiddenFirst(plan)) HideFirst(plan, builder);
  for (const auto& join : namespaces.join) {
    builder.Add({.op = Op::kSetns,
                 .fd = builder.Inherit(join.fd.get()),
                 .text = builder.Text(join.path),
                 .a = Bits(join.flags)},
                "join namespace");
  }
  if (namespaces.become_root)
    builder.Add({.op = Op::kBecomeRoot}, "become root of the user namespace");
  if ((namespaces.create & CLONE_NEWUSER) != 0) {
    builder.Add({.op = Op::kFork, .a = CLONE_NEWUSER}, "clone3 with a user namespace");
    builder.Add({.op = Op::kSync}, "wait for the id mappings");
    compiled.syncs.push_back(SyncPoint::kIdMaps);
    ++compiled.forks;
    builder.Add({.op = Op::kBecomeRoot}, "become root of the user namespace");
  }
  if ((namespaces.create & CLONE_NEWTIME) != 0) {
    builder.Add({.op = Op::kTimeOffsets, .text = builder.Text(namespaces.time_offsets)},
                "make a time namespace (linux.timeOffsets)");
  }
  // An ordinary user's own new user namespace stays open to that user: /proc/<pid> would be root's.
  if (plan.privileged_runtime && !HiddenFirst(plan))
    builder.Add({.op = Op::kHide}, "prctl PR_SET_DUMPABLE");
  builder.Add({.op = Op::kFork, .a = CloneFlags(namespaces)},
              "clone3 into the container's namespaces");
  ++compiled.forks;
}

void JoinCgroups(const LaunchPlan& plan, Compiled& compiled) {
  auto& builder = compiled.builder;
  if (plan.cgroup.by_runtime) {
    builder.Add({.op = Op::kSync}, "wait for the cgroup");
    compiled.syncs.push_back(SyncPoint::kCgroup);
  }
  for (const auto& tasks : plan.cgroup.tasks) {
    builder.Add({.op = Op::kJoinCgroup, .fd = builder.Inherit(tasks.get())}, "join cgroup");
  }
  if (const auto& cpus = plan.process.final_cpus; !cpus.empty()) {
    builder.Add({.op = Op::kAffinity,
                 .data = builder.Data(cpus),
                 .data_count = static_cast<uint32_t>(cpus.size())},
                "process.execCPUAffinity.final: sched_setaffinity");
  }
  if ((plan.namespaces.create & CLONE_NEWCGROUP) != 0) {
    builder.Add({.op = Op::kUnshare, .a = CLONE_NEWCGROUP}, "unshare the cgroup namespace");
  }
}

// Before the sysctls, which may be about a device.
void SetUpNetwork(const LaunchPlan& plan, Compiled& compiled) {
  if (!plan.network_by_runtime) return;
  compiled.builder.Add({.op = Op::kSync}, "wait for the network devices");
  compiled.syncs.push_back(SyncPoint::kNetwork);
}

void NameHost(const LaunchPlan& plan, ProgramBuilder& builder) {
  if (plan.namespaces.bring_loopback_up) builder.Add({.op = Op::kLoopbackUp}, "bring up lo");
  if (!plan.hostname.empty()) {
    builder.Add({.op = Op::kHostname, .text = builder.Text(plan.hostname)},
                StrCat("sethostname ", Quote(plan.hostname)));
  }
  if (!plan.domainname.empty()) {
    builder.Add({.op = Op::kDomainname, .text = builder.Text(plan.domainname)},
                StrCat("setdomainname ", Quote(plan.domainname)));
  }
  for (const auto& sysctl : plan.sysctls) {
    builder.Add({.op = Op::kProcWrite,
                 .text = builder.Text(sysctl.path),
                 .text2 = builder.Text(sysctl.value)},
                StrCat("linux.sysctl: ", sysctl.name, ": write ", Quote(sysctl.value)));
  }
}

void OpenConsole(const LaunchPlan& plan, ProgramBuilder& builder) {
  if (!plan.process.terminal) return;
  auto size = plan.process.console_size.value_or(oci::ConsoleSize{});
  builder.Add({.op = Op::kConsole,
               .flags = plan.root && plan.root->private_mounts ? launcher::kBindConsole : 0u,
               .fd = builder.Inherit(plan.process.console_socket.get()),
               .a = size.rows,
               .b = size.columns,
               .c = plan.process.uid},
              "set up the terminal");
}

// The container's root: mounts first, then what hooks may still change, then the switch.
void EnterRoot(const LaunchPlan& plan, const CompileOptions& options, Compiled& compiled) {
  auto& builder = compiled.builder;
  CompileRoot(*plan.root, builder);
  CompileDeviceNodes(*plan.root, builder);
  if (options.host_hooks) {
    builder.Add({.op = Op::kSync}, "wait for the runtime's hooks");
    compiled.syncs.push_back(SyncPoint::kHostHooks);
  }
  builder.Add({.op = Op::kMakeDirectory, .text = builder.Text(plan.process.cwd)}, "process.cwd");
  CompileCreateHooks(plan.create_container, builder);
  OpenConsole(plan, builder);
  CompileRootEnd(*plan.root, builder);
}

void EnterExistingRoot(const LaunchPlan& plan, ProgramBuilder& builder) {
  if (plan.chroot_to) {
    builder.Add({.op = Op::kChroot, .fd = builder.Inherit(plan.chroot_to.get())},
                "chroot into the container's root");
  }
  builder.Add({.op = Op::kOpenRoot}, "open the container's root");
  OpenConsole(plan, builder);
}

}  // namespace

Result<Compiled> Compile(const LaunchPlan& plan, const CompileOptions& options) {
  Compiled compiled;
  auto& builder = compiled.builder;
  builder.Add({.op = Op::kCloseOnExec, .a = 3 + plan.process.preserve_fds}, "close_range");
  bool fork = NeedsFork(plan.namespaces);
  if (fork) {
    EnterNamespaces(plan, compiled);
  } else {
    builder.Add({.op = Op::kHide}, "prctl PR_SET_DUMPABLE");
    compiled.clone_namespaces = CloneFlags(plan.namespaces);
  }
  builder.Add({.op = Op::kDeathSignal, .a = SIGKILL}, "prctl PR_SET_PDEATHSIG");
  builder.Add({.op = Op::kSetsid}, "setsid");
  if (plan.mount_change) {
    builder.Add({.op = Op::kOpenRoot}, "open the container's root");
    CompileMountChange(*plan.mount_change, builder);
    return compiled;
  }
  builder.Add({.op = Op::kDefaultSignals, .a = options.ignored_signals}, "rt_sigaction");
  JoinCgroups(plan, compiled);
  if (!plan.process.session_keyring.empty()) {
    // The keyring is the container's too. Back to nothing with execve.
    if (!plan.process.selinux_label.empty()) {
      builder.Add({.op = Op::kProcWrite,
                   .text = builder.Text("self/attr/keycreate"),
                   .text2 = builder.Text(plan.process.selinux_label)},
                  StrCat("process.selinuxLabel: ", plan.process.selinux_label));
    }
    builder.Add({.op = Op::kKeyring, .text = builder.Text(plan.process.session_keyring)},
                "join a session keyring");
  }
  SetUpNetwork(plan, compiled);
  NameHost(plan, builder);
  if (plan.root) {
    EnterRoot(plan, options, compiled);
  } else {
    EnterExistingRoot(plan, builder);
  }
  bool own_user_namespace =
      plan.namespaces.become_root || (plan.namespaces.create & CLONE_NEWUSER) != 0;
  bool limits_by_runtime = own_user_namespace && plan.privileged_runtime &&
                           (!plan.process.rlimits.empty() || plan.process.oom_score_adj);
  if (limits_by_runtime) {
    builder.Add({.op = Op::kSync}, "wait for the limits");
    compiled.syncs.push_back(SyncPoint::kLimits);
  }
  bool limits_set = limits_by_runtime || (fork && HiddenFirst(plan) && !plan.privileged_runtime);
  CompileProcess(plan.process, limits_set, builder);
  builder.Add({.op = Op::kConfirm}, "wait until the process is recorded");
  if (plan.start_listener && !plan.privileged_runtime) {
    // It waits in the open, for whose it is: with nothing of the host's.
    builder.Add({.op = Op::kCloseProc}, "close /proc");
    if (HiddenFirst(plan)) builder.Add({.op = Op::kHide, .a = 1}, "prctl PR_SET_DUMPABLE");
  }
  if (plan.start_listener) {
    if ((plan.namespaces.create & CLONE_NEWPID) != 0) {
      builder.Add({.op = Op::kEndOnSignals}, "rt_sigaction");
    }
    builder.Add({.op = Op::kWaitStart, .fd = builder.Inherit(plan.start_listener.get())},
                "wait for start");
  }
  launcher::Offset home = CompileHome(plan.process, builder);
  CompileStartHooks(plan.start_container, home, builder);
  CompileExec(plan.process, home, builder);
  return compiled;
}

}  // namespace kiste::isolation
