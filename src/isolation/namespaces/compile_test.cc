// SPDX-License-Identifier: Apache-2.0
//
// What is done in which order: the order is the sandbox (compile.cc).
#include "isolation/namespaces/compile.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>

#include "base/strings.h"

namespace kiste::isolation {

namespace {

using launcher::Op;
using launcher::Operation;

constexpr int kUsual = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET;

// A compiled program, read back as the launcher reads it.
struct Steps {
  explicit Steps(const LaunchPlan& plan, CompileOptions options = {})
      : compiled(Compile(plan, options).value()), block(compiled.builder.Finish(900, 901)) {
    launcher::Program header;
    std::memcpy(&header, block.data(), sizeof header);
    list.resize(header.operation_count);
    std::memcpy(list.data(), block.data() + header.operations,
                header.operation_count * sizeof(Operation));
  }

  // Where `op` is for the first or the last time; fails the test when it is not there.
  size_t First(Op op) const {
    return Find(op, [](const Operation&) { return true; });
  }
  size_t Last(Op op) const {
    for (size_t i = list.size(); i > 0; --i) {
      if (list[i - 1].op == op) return i - 1;
    }
    ADD_FAILURE() << "no operation " << static_cast<unsigned>(op);
    return 0;
  }
  size_t Find(Op op, const std::function<bool(const Operation&)>& wanted) const {
    for (size_t i = 0; i < list.size(); ++i) {
      if (list[i].op == op && wanted(list[i])) return i;
    }
    ADD_FAILURE() << "no operation " << static_cast<unsigned>(op);
    return 0;
  }
  const Operation& Get(Op op) const { return list[First(op)]; }
  long Count(Op op) const {
    return std::count_if(list.begin(), list.end(), [op](const auto& o) { return o.op == op; });
  }
  bool Inherits(int fd) const {
    const auto& all = compiled.builder.inherited();
    return std::find(all.begin(), all.end(), fd) != all.end();
  }
  std::string Text(launcher::Offset offset) const {
    return offset == 0 ? "" : block.data() + offset;
  }
  template <typename T>
  T Data(launcher::Offset offset) const {
    T value;
    std::memcpy(&value, block.data() + offset, sizeof value);
    return value;
  }

  Compiled compiled;
  std::string block;
  std::vector<Operation> list;
};

Fd AnyFd() { return Fd(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

MountStep Mount(const std::string& type, const std::string& destination) {
  MountStep step;
  step.mount.type = step.mount.source = type;
  step.mount.destination = destination;
  return step;
}

LaunchPlan Container() {
  LaunchPlan plan;
  plan.id = "c";
  plan.namespaces.create = kUsual;
  plan.root.emplace();
  plan.root->path = "/rootfs";
  plan.root->host_propagation = MS_SLAVE | MS_REC;
  plan.process.args = {"/bin/true"};
  plan.process.cwd = "/";
  return plan;
}

LaunchPlan Exec() {
  LaunchPlan plan = Container();
  plan.root.reset();
  plan.namespaces.create = 0;
  NamespaceJoin join;
  join.flags = CLONE_NEWNS | CLONE_NEWPID;
  join.fd = AnyFd();
  join.path = "/proc/1/ns";
  plan.namespaces.join.push_back(std::move(join));
  return plan;
}

// A container with about everything.
LaunchPlan Rich() {
  LaunchPlan plan = Container();
  plan.namespaces.create |= CLONE_NEWCGROUP;
  plan.namespaces.bring_loopback_up = true;
  plan.cgroup.tasks.push_back(AnyFd());
  plan.cgroup.tasks.push_back(AnyFd());
  plan.hostname = "host";
  plan.domainname = "domain";
  plan.sysctls = {{"net.x", "sys/net/x", "1"}};
  auto& root = *plan.root;
  root.readonly = true;
  root.mounts.push_back(Mount("proc", "/proc"));
  root.mounts.push_back(Mount("tmpfs", "/dev"));
  root.mounts[1].mount.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;
  root.devices.push_back({"/dev/null", S_IFCHR | 0666, 1, 3, 0, 0});
  root.dev_links = {{"/proc/self/fd", "/dev/fd"}};
  root.masked_paths = {"/proc/kcore", "/sys/firmware"};
  root.readonly_paths = {"/proc/sys", "/proc/bus"};
  plan.create_container.hooks.push_back({"/hook", {}, {}, {}});
  plan.start_container.hooks.push_back({"/hook", {}, {}, {}});
  plan.process.session_keyring = "_ses.c";
  plan.process.terminal = true;
  plan.process.console_socket = AnyFd();
  plan.process.rlimits = {{7, 10, 20}};
  plan.process.no_new_privileges = true;
  plan.process.seccomp.filter.resize(3);
  plan.process.seccomp.listener = AnyFd();
  plan.start_listener = AnyFd();
  return plan;
}

}  // namespace

TEST(Compile, EveryOperationHasWordsForItsFailure) {
  Steps steps(Rich(), {.host_hooks = true});
  ASSERT_EQ(steps.compiled.builder.words().size(), steps.list.size());
  for (const auto& words : steps.compiled.builder.words()) EXPECT_FALSE(words.empty());
}

TEST(Compile, StrayDescriptorsAreClosedFirst) {
  LaunchPlan plan = Container();
  EXPECT_EQ(Steps(plan).list[0].op, Op::kCloseOnExec);
  EXPECT_EQ(Steps(plan).list[0].a, 3u);
  plan.process.preserve_fds = 4;
  EXPECT_EQ(Steps(plan).list[0].a, 7u);
}

TEST(Compile, CgroupIsJoinedBeforeItBecomesTheRootOfANamespace) {
  Steps steps(Rich());
  EXPECT_EQ(steps.Count(Op::kJoinCgroup), 2);
  EXPECT_LT(steps.Last(Op::kJoinCgroup), steps.First(Op::kUnshare));
  EXPECT_EQ(steps.Get(Op::kUnshare).a, static_cast<uint64_t>(CLONE_NEWCGROUP));
  // cgroup file systems show the namespace's root as it is when they are mounted.
  EXPECT_LT(steps.First(Op::kUnshare), steps.First(Op::kFileSystem));
  EXPECT_LT(steps.Last(Op::kJoinCgroup), steps.First(Op::kPivot));
}

TEST(Compile, NoCgroupNamespaceNoUnshare) {
  LaunchPlan plan = Container();
  plan.cgroup.tasks.push_back(AnyFd());
  Steps steps(plan);
  EXPECT_EQ(steps.Count(Op::kUnshare), 0);
  EXPECT_TRUE(steps.Inherits(plan.cgroup.tasks[0].get()));
  EXPECT_EQ(steps.Get(Op::kJoinCgroup).fd, plan.cgroup.tasks[0].get());
}

TEST(Compile, DiesWithTheRuntimeUntilItWaitsForStart) {
  Steps steps(Rich(), {.host_hooks = true});
  EXPECT_EQ(steps.Get(Op::kDeathSignal).a, static_cast<uint64_t>(SIGKILL));
  EXPECT_LT(steps.First(Op::kDeathSignal), steps.First(Op::kSync));
  EXPECT_EQ(steps.list[steps.Last(Op::kDeathSignal)].a, 0u);
  EXPECT_LT(steps.Last(Op::kDeathSignal), steps.First(Op::kWaitStart));
  // A change of user or of capabilities clears it (prctl(2)): nothing comes between.
  EXPECT_LT(steps.First(Op::kUser), steps.Last(Op::kDeathSignal));
}

TEST(Compile, NothingOfTheContainersRunsBeforeTheProcessIsRecorded) {
  Steps steps(Rich(), {.host_hooks = true});
  EXPECT_EQ(steps.Count(Op::kConfirm), 1);
  EXPECT_LT(steps.Last(Op::kDeathSignal), steps.First(Op::kConfirm));
  EXPECT_LT(steps.First(Op::kConfirm), steps.First(Op::kWaitStart));
  EXPECT_LT(steps.First(Op::kConfirm), steps.First(Op::kExec));
}

TEST(Compile, RootIsBuiltThenHooksThenProtectedThenEntered) {
  Steps steps(Rich(), {.host_hooks = true});
  const size_t order[] = {steps.First(Op::kPropagation),   steps.First(Op::kRoot),
                          steps.First(Op::kFileSystem),    steps.First(Op::kMknod),
                          steps.First(Op::kSymlink),       steps.First(Op::kSync),
                          steps.First(Op::kMakeDirectory), steps.First(Op::kHooks),
                          steps.First(Op::kConsole),       steps.First(Op::kSeal),
                          steps.First(Op::kReadonlyPath),  steps.First(Op::kMask),
                          steps.First(Op::kPivot),         steps.First(Op::kRootAttributes),
                          steps.First(Op::kChdir)};
  EXPECT_TRUE(std::is_sorted(std::begin(order), std::end(order)));
  EXPECT_EQ(std::adjacent_find(std::begin(order), std::end(order)), std::end(order));
}

TEST(Compile, ReadOnlyDevIsMadeSoAtTheEnd) {
  Steps steps(Rich());
  auto block = steps.Data<launcher::MountBlock>(
      steps
          .list[steps.Find(Op::kFileSystem,
                           [&](const Operation& op) {
                             return steps.Text(
                                        steps.Data<launcher::MountBlock>(op.data).destination) ==
                                    "/dev";
                           })]
          .data);
  EXPECT_EQ(block.attr_set, static_cast<uint64_t>(MOUNT_ATTR_NOSUID));
  EXPECT_LT(steps.Last(Op::kMknod), steps.First(Op::kSeal));
  EXPECT_LT(steps.First(Op::kConsole), steps.First(Op::kSeal));  // makes /dev/console
}

TEST(Compile, SysctlsAreWrittenByTheNamespacesRootBeforeAnythingIsMounted) {
  Steps steps(Rich());
  EXPECT_LT(steps.First(Op::kProcWrite), steps.First(Op::kRoot));
  EXPECT_LT(steps.First(Op::kProcWrite), steps.First(Op::kUser));
}

TEST(Compile, PrivilegesGoOnlyWhenTheyAreNoLongerNeeded) {
  Steps steps(Rich());
  EXPECT_LT(steps.First(Op::kRlimit), steps.First(Op::kUser));
  EXPECT_LT(steps.First(Op::kRootAttributes), steps.First(Op::kBounding));
  EXPECT_LT(steps.First(Op::kBounding), steps.First(Op::kUser));  // needs CAP_SETPCAP
  EXPECT_LT(steps.First(Op::kUser), steps.First(Op::kCapabilities));
  EXPECT_LT(steps.First(Op::kCapabilities), steps.First(Op::kFindExecutable));  // as the user
  EXPECT_LT(steps.First(Op::kFindExecutable), steps.First(Op::kWaitStart));
}

TEST(Compile, TheFilterIsTheLastStep) {
  for (bool no_new_privileges : {false, true}) {
    LaunchPlan plan = Rich();
    plan.process.no_new_privileges = no_new_privileges;
    Steps steps(plan);
    EXPECT_EQ(steps.First(Op::kSeccomp) + 2, steps.list.size());  // only execve must be allowed
    EXPECT_EQ(steps.list.back().op, Op::kExec);
    EXPECT_EQ(steps.Count(Op::kCapabilities), 1);
    EXPECT_LT(steps.First(Op::kCapabilities), steps.First(Op::kSeccomp));
    EXPECT_EQ(steps.Count(Op::kNoNewPrivileges), no_new_privileges ? 1 : 0);
  }
  Steps steps(Rich());
  EXPECT_LT(steps.First(Op::kNoNewPrivileges), steps.First(Op::kSeccomp));
}

// seccomp(2) asks for it, execve takes it away: it is in none of the sets that live on.
TEST(Compile, WithoutNoNewPrivilegesAdminStaysForTheFilter) {
  LaunchPlan plan = Rich();
  plan.process.capabilities = {
      .bounding = 1, .effective = 1, .inheritable = 2, .permitted = 1 | 2, .ambient = 2};
  struct Sets {
    uint64_t effective, permitted, inheritable, ambient;
  };
  Steps with(plan);
  auto sets = with.Data<Sets>(with.Get(Op::kCapabilities).data);
  EXPECT_EQ(sets.effective, 1u);
  EXPECT_EQ(sets.permitted, 3u);
  plan.process.no_new_privileges = false;
  Steps without(plan);
  sets = without.Data<Sets>(without.Get(Op::kCapabilities).data);
  constexpr uint64_t kAdmin = uint64_t{1} << 21;
  EXPECT_EQ(sets.effective, 1 | kAdmin);
  EXPECT_EQ(sets.permitted, 3 | kAdmin);
  EXPECT_EQ(sets.inheritable, 2u);
  EXPECT_EQ(sets.ambient, 2u);
  EXPECT_EQ(without.Get(Op::kBounding).a, 1u);
}

TEST(Compile, WaitsForStartOnlyWithAListener) {
  LaunchPlan plan = Container();
  EXPECT_EQ(Steps(plan).Count(Op::kWaitStart), 0);
  plan.start_listener = AnyFd();
  Steps steps(plan);
  ASSERT_EQ(steps.Count(Op::kWaitStart), 1);
  EXPECT_EQ(steps.Get(Op::kWaitStart).fd, plan.start_listener.get());
  EXPECT_TRUE(steps.Inherits(plan.start_listener.get()));
  EXPECT_LT(steps.First(Op::kEndOnSignals), steps.First(Op::kWaitStart));
  plan.namespaces.create &= ~CLONE_NEWPID;
  EXPECT_EQ(Steps(plan).Count(Op::kEndOnSignals), 0);  // its signals reach it
}

TEST(Compile, StartHooksRunAfterTheWaitAndBeforeTheFilter) {
  Steps steps(Rich());
  EXPECT_EQ(steps.Count(Op::kHooks), 2);
  EXPECT_EQ(steps.Get(Op::kHooks).flags, launcher::kFromRoot);
  EXPECT_LT(steps.First(Op::kHooks), steps.First(Op::kPivot));
  EXPECT_LT(steps.First(Op::kWaitStart), steps.Last(Op::kHooks));
  EXPECT_LT(steps.Last(Op::kHooks), steps.First(Op::kSeccomp));
}

TEST(Compile, OneCloneMakesOrdinaryNamespaces) {
  LaunchPlan plan = Container();
  plan.namespaces.create |= CLONE_NEWCGROUP;
  Steps steps(plan);
  EXPECT_EQ(steps.compiled.clone_namespaces, static_cast<uint64_t>(kUsual));
  EXPECT_EQ(steps.compiled.forks, 0);
  EXPECT_EQ(steps.Count(Op::kFork), 0);
  EXPECT_TRUE(steps.compiled.syncs.empty());
}

TEST(Compile, UserNamespaceIsForkedIntoFirst) {
  LaunchPlan plan = Container();
  plan.namespaces.create |= CLONE_NEWUSER;
  Steps steps(plan);
  EXPECT_EQ(steps.compiled.clone_namespaces, 0u);
  EXPECT_EQ(steps.compiled.forks, 2);
  ASSERT_EQ(steps.Count(Op::kFork), 2);
  size_t first = steps.First(Op::kFork), second = steps.Last(Op::kFork);
  EXPECT_EQ(steps.list[first].a, static_cast<uint64_t>(CLONE_NEWUSER));
  EXPECT_EQ(steps.list[second].a, static_cast<uint64_t>(kUsual));
  EXPECT_EQ(steps.list[first + 1].op, Op::kSync);  // nothing can be done before the ids are mapped
  EXPECT_EQ(steps.list[first + 2].op, Op::kBecomeRoot);
  EXPECT_LT(steps.First(Op::kHide), second);  // closed before it shows up in a pid namespace
  EXPECT_EQ(steps.compiled.syncs, std::vector<SyncPoint>{SyncPoint::kIdMaps});
  // A v1 cgroup and the death signal concern the container's process, not the ones before it.
  EXPECT_LT(second, steps.First(Op::kDeathSignal));
}

TEST(Compile, TimeNamespaceIsSetUpBeforeItsFirstProcess) {
  LaunchPlan plan = Container();
  plan.namespaces.create |= CLONE_NEWTIME;
  plan.namespaces.time_offsets = "monotonic 5 0\n";
  Steps steps(plan);
  EXPECT_EQ(steps.compiled.forks, 1);
  EXPECT_LT(steps.First(Op::kTimeOffsets), steps.First(Op::kFork));
  EXPECT_EQ(steps.Text(steps.Get(Op::kTimeOffsets).text), "monotonic 5 0\n");
  EXPECT_EQ(steps.Get(Op::kFork).a, static_cast<uint64_t>(kUsual));
}

TEST(Compile, JoinedNamespacesComeInOrderBeforeTheFork) {
  LaunchPlan plan = Container();
  plan.namespaces.become_root = true;
  for (int flag : {CLONE_NEWUSER, CLONE_NEWNET}) {
    NamespaceJoin join;
    join.flags = flag;
    join.fd = AnyFd();
    join.path = StrCat("/ns/", flag);
    plan.namespaces.join.push_back(std::move(join));
  }
  plan.namespaces.create = CLONE_NEWNS | CLONE_NEWPID;
  Steps steps(plan);
  EXPECT_EQ(steps.compiled.forks, 1);
  EXPECT_EQ(steps.compiled.clone_namespaces, 0u);
  size_t first = steps.First(Op::kSetns), second = steps.Last(Op::kSetns);
  EXPECT_EQ(second, first + 1);
  EXPECT_EQ(steps.list[first].a, static_cast<uint64_t>(CLONE_NEWUSER));
  EXPECT_EQ(steps.list[first].fd, plan.namespaces.join[0].fd.get());
  EXPECT_EQ(steps.Text(steps.list[second].text), StrCat("/ns/", CLONE_NEWNET));
  EXPECT_LT(second, steps.First(Op::kBecomeRoot));
  EXPECT_LT(steps.First(Op::kBecomeRoot), steps.First(Op::kFork));
  EXPECT_EQ(steps.Get(Op::kFork).a, static_cast<uint64_t>(CLONE_NEWNS | CLONE_NEWPID));
  EXPECT_TRUE(steps.Inherits(plan.namespaces.join[1].fd.get()));
}

namespace {

LaunchPlan JoinsUserNamespace(LaunchPlan plan) {
  NamespaceJoin join;
  join.flags = CLONE_NEWUSER | CLONE_NEWNET;
  join.fd = AnyFd();
  plan.namespaces.join.push_back(std::move(join));
  plan.namespaces.become_root = true;
  return plan;
}

}  // namespace

TEST(Compile, IsHiddenBeforeItIsInAUserNamespaceOfOthers) {
  for (bool privileged : {true, false}) {
    for (bool exec : {true, false}) {
      LaunchPlan plan = JoinsUserNamespace(exec ? Exec() : Container());
      plan.privileged_runtime = privileged;
      Steps steps(plan);
      EXPECT_LT(steps.First(Op::kHide), steps.First(Op::kSetns));
      EXPECT_EQ(steps.Count(Op::kDropGroups), privileged ? 1 : 0);
    }
  }
}

TEST(Compile, WhatItSetsInItsOwnProcComesBeforeItIsHidden) {
  LaunchPlan plan = JoinsUserNamespace(Container());
  plan.namespaces.create |= CLONE_NEWTIME;
  plan.process.oom_score_adj = 5;
  plan.privileged_runtime = false;
  Steps steps(plan);
  EXPECT_LT(steps.First(Op::kOpenTimeOffsets), steps.First(Op::kHide));
  EXPECT_LT(steps.First(Op::kHide), steps.First(Op::kTimeOffsets));
  EXPECT_EQ(steps.Count(Op::kProcWrite), 1);
  EXPECT_LT(steps.First(Op::kProcWrite), steps.First(Op::kHide));
}

TEST(Compile, TheCallersGroupsStayWhereTheyAreWanted) {
  LaunchPlan plan = JoinsUserNamespace(Container());
  plan.process.keep_groups = true;
  EXPECT_EQ(Steps(plan).Count(Op::kDropGroups), 0);
}

TEST(Compile, SyncPointsInOrder) {
  LaunchPlan plan = Rich();
  plan.namespaces.create |= CLONE_NEWUSER;
  Steps steps(plan, {.host_hooks = true});
  EXPECT_EQ(steps.compiled.syncs,
            (std::vector{SyncPoint::kIdMaps, SyncPoint::kHostHooks, SyncPoint::kLimits}));
  EXPECT_EQ(steps.Count(Op::kSync), 3);
  EXPECT_EQ(steps.Count(Op::kRlimit), 0);  // the runtime sets them
  EXPECT_LT(steps.Last(Op::kSync), steps.First(Op::kUser));
  EXPECT_LT(steps.First(Op::kPivot), steps.Last(Op::kSync));
}

TEST(Compile, NoSyncWithoutSomethingToWaitFor) {
  LaunchPlan plan = Rich();
  plan.namespaces.create |= CLONE_NEWUSER;
  plan.process.rlimits.clear();
  EXPECT_EQ(Steps(plan).Count(Op::kSync), 1);
  plan.process.oom_score_adj = 100;
  Steps steps(plan);
  EXPECT_EQ(steps.Count(Op::kSync), 2);
  EXPECT_EQ(steps.compiled.syncs.back(), SyncPoint::kLimits);
  EXPECT_EQ(Steps(Rich()).Count(Op::kSync), 0);
}

TEST(CompileExec, TakesTheRootAsItIs) {
  Steps steps(Exec());
  for (Op op : {Op::kPropagation, Op::kRoot, Op::kPivot, Op::kMask, Op::kChroot})
    EXPECT_EQ(steps.Count(op), 0);
  EXPECT_LT(steps.First(Op::kFork), steps.First(Op::kOpenRoot));
  EXPECT_LT(steps.First(Op::kOpenRoot), steps.First(Op::kFindExecutable));
}

TEST(CompileExec, ChrootsFirstWhenThereIsNoMountNamespace) {
  LaunchPlan plan = Exec();
  plan.chroot_to = AnyFd();
  Steps steps(plan);
  EXPECT_EQ(steps.Get(Op::kChroot).fd, plan.chroot_to.get());
  EXPECT_TRUE(steps.Inherits(plan.chroot_to.get()));
  EXPECT_LT(steps.First(Op::kChroot), steps.First(Op::kOpenRoot));
}

TEST(CompileExec, HoldsNothingOfTheHostsProcUnlessItMust) {
  Steps steps(Exec());
  // Gone before the process is among the container's.
  EXPECT_LT(steps.First(Op::kCloseProc), steps.First(Op::kFork));
  const std::function<void(LaunchPlan&)> needs[] = {
      [](LaunchPlan& plan) { plan.process.oom_score_adj = 1; },
      [](LaunchPlan& plan) { plan.process.apparmor_profile = "p"; },
      [](LaunchPlan& plan) { plan.process.selinux_label = "l"; },
      [](LaunchPlan& plan) { plan.process.seccomp.listener = AnyFd(); },
      [](LaunchPlan& plan) { plan.root.emplace(); }};
  for (const auto& need : needs) {
    LaunchPlan plan = Exec();
    need(plan);
    EXPECT_EQ(Steps(plan).Count(Op::kCloseProc), 0);
  }
}

TEST(CompileExec, ConsoleIsBoundOnlyOnAContainersOwnDev) {
  LaunchPlan plan = Exec();
  plan.process.terminal = true;
  plan.process.console_socket = AnyFd();
  plan.process.console_size = oci::ConsoleSize{.rows = 24, .columns = 80};
  plan.process.uid = 5;
  Steps exec(plan);
  EXPECT_EQ(exec.Get(Op::kConsole).flags & launcher::kBindConsole, 0u);
  EXPECT_EQ(exec.Get(Op::kConsole).fd, plan.process.console_socket.get());
  EXPECT_EQ(exec.Get(Op::kConsole).a, 24u);
  EXPECT_EQ(exec.Get(Op::kConsole).b, 80u);
  EXPECT_EQ(exec.Get(Op::kConsole).c, 5u);
  EXPECT_TRUE(exec.Inherits(plan.process.console_socket.get()));
  EXPECT_NE(Steps(Rich()).Get(Op::kConsole).flags & launcher::kBindConsole, 0u);
}

// Names and their deeds: each thing that a plan may ask for and that stands alone.
TEST(Compile, EachFieldOfThePlanLeadsToItsOperation) {
  struct Field {
    const char* name;
    void (*set)(LaunchPlan&);
    Op op;
    const char* text;  // or nullptr: none
  };
  const Field fields[] = {
      {"hostname", [](LaunchPlan& p) { p.hostname = "h"; }, Op::kHostname, "h"},
      {"domainname", [](LaunchPlan& p) { p.domainname = "d"; }, Op::kDomainname, "d"},
      {"loopback", [](LaunchPlan& p) { p.namespaces.bring_loopback_up = true; }, Op::kLoopbackUp,
       nullptr},
      {"become_root",
       [](LaunchPlan& p) {
         p.namespaces = Exec().namespaces;
         p.namespaces.become_root = true;
       },
       Op::kBecomeRoot, nullptr},
      {"sysctls", [](LaunchPlan& p) { p.sysctls = {{"a.b", "sys/a/b", "1"}}; }, Op::kProcWrite,
       "sys/a/b"},
      {"session_keyring", [](LaunchPlan& p) { p.process.session_keyring = "_ses"; }, Op::kKeyring,
       "_ses"},
      {"cwd", [](LaunchPlan& p) { p.process.cwd = "/work"; }, Op::kChdir, "/work"},
      {"made cwd", [](LaunchPlan& p) { p.process.cwd = "/work"; }, Op::kMakeDirectory, "/work"},
      {"root.path", [](LaunchPlan& p) { p.root->path = "/r"; }, Op::kRoot, "/r"},
      {"masked_paths", [](LaunchPlan& p) { p.root->masked_paths = {"/m"}; }, Op::kMask, nullptr},
      {"readonly_paths", [](LaunchPlan& p) { p.root->readonly_paths = {"/ro"}; }, Op::kReadonlyPath,
       "/ro"},
      {"dev_links", [](LaunchPlan& p) { p.root->dev_links = {{"t", "/dev/l"}}; }, Op::kSymlink,
       "t"},
      {"create_container",
       [](LaunchPlan& p) { p.create_container = {{{"/h", {}, {}, {}}}, "state"}; }, Op::kHooks,
       "state"},
      {"start_container",
       [](LaunchPlan& p) { p.start_container = {{{"/h", {}, {}, {}}}, "state"}; }, Op::kHooks,
       "state"},
      {"personality", [](LaunchPlan& p) { p.process.personality = 8; }, Op::kPersonality, nullptr},
      {"scheduler", [](LaunchPlan& p) { p.process.scheduler.emplace(); }, Op::kScheduler, nullptr},
      {"io_priority", [](LaunchPlan& p) { p.process.io_priority.emplace(); }, Op::kIoPriority,
       nullptr},
      {"no_new_privileges", [](LaunchPlan& p) { p.process.no_new_privileges = true; },
       Op::kNoNewPrivileges, nullptr},
      {"seccomp", [](LaunchPlan& p) { p.process.seccomp.filter.resize(1); }, Op::kSeccomp, nullptr},
      {"oom_score_adj", [](LaunchPlan& p) { p.process.oom_score_adj = 5; }, Op::kProcWrite,
       "self/oom_score_adj"},
      {"apparmor_profile", [](LaunchPlan& p) { p.process.apparmor_profile = "p"; }, Op::kProcWrite,
       "self/attr/apparmor/exec"},
      {"selinux_label", [](LaunchPlan& p) { p.process.selinux_label = "l"; }, Op::kProcWrite,
       "self/attr/exec"}};
  for (const auto& field : fields) {
    LaunchPlan plan = Container();
    field.set(plan);
    Steps steps(plan);
    SCOPED_TRACE(field.name);
    size_t at = steps.Find(field.op, [&](const Operation& op) {
      return field.text == nullptr || steps.Text(op.text) == field.text;
    });
    EXPECT_EQ(steps.list[at].op, field.op);
  }
}

TEST(Compile, NothingIsDoneThatWasNotAskedFor) {
  Steps steps(Container());
  for (Op op : {Op::kHostname,   Op::kDomainname, Op::kLoopbackUp,      Op::kBecomeRoot,
                Op::kProcWrite,  Op::kKeyring,    Op::kHooks,           Op::kPersonality,
                Op::kScheduler,  Op::kIoPriority, Op::kNoNewPrivileges, Op::kSeccomp,
                Op::kConsole,    Op::kMask,       Op::kReadonlyPath,    Op::kRootAttributes,
                Op::kSync,       Op::kRlimit,     Op::kMknod,           Op::kSymlink,
                Op::kBind,       Op::kFileSystem, Op::kRemount,         Op::kWaitStart,
                Op::kJoinCgroup, Op::kUnshare,    Op::kEndOnSignals}) {
    EXPECT_EQ(steps.Count(op), 0) << static_cast<unsigned>(op);
  }
}

}  // namespace kiste::isolation
