// SPDX-License-Identifier: Apache-2.0
//
// The process as operations (compile_process.cc).
#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstring>

#include "isolation/namespaces/compile.h"

namespace kiste::isolation {

namespace {

using launcher::Op;
using launcher::Operation;

enum class Limits { kByLauncher, kByRuntime };

// The operations for a process, read back as the launcher reads them.
struct ProcessSteps {
  explicit ProcessSteps(const ProcessPlan& process, Limits limits = Limits::kByLauncher) {
    CompileProcess(process, limits == Limits::kByRuntime, builder);
    CompileExec(process, CompileHome(process, builder), builder);
    Read();
  }
  explicit ProcessSteps(const InnerHooks& hooks) {
    CompileStartHooks(hooks, 0, builder);
    Read();
  }
  void Read() {
    block = builder.Finish(900, 901);
    launcher::Program header;
    std::memcpy(&header, block.data(), sizeof header);
    list.resize(header.operation_count);
    if (list.empty()) return;
    std::memcpy(list.data(), block.data() + header.operations,
                header.operation_count * sizeof(Operation));
  }
  std::vector<Operation> All(Op op) const {
    std::vector<Operation> found;
    for (const auto& operation : list) {
      if (operation.op == op) found.push_back(operation);
    }
    return found;
  }
  Operation Only(Op op) const {
    auto found = All(op);
    EXPECT_EQ(found.size(), 1u) << static_cast<unsigned>(op);
    return found.empty() ? Operation{} : found[0];
  }
  template <typename T>
  T Data(launcher::Offset offset, size_t index = 0) const {
    T value;
    std::memcpy(&value, block.data() + offset + index * sizeof value, sizeof value);
    return value;
  }
  std::string Text(uint64_t offset) const { return offset == 0 ? "" : block.data() + offset; }
  // The texts behind a 0-terminated list of pointers.
  std::vector<std::string> Words(launcher::Offset list_offset) const {
    std::vector<std::string> words;
    for (size_t i = 0; Data<uint64_t>(list_offset, i) != 0; ++i)
      words.push_back(Text(Data<uint64_t>(list_offset, i)));
    return words;
  }
  std::vector<std::string> Candidates() const {
    Operation find = Only(Op::kFindExecutable);
    std::vector<std::string> paths;
    for (unsigned i = 0; i < find.data_count; ++i)
      paths.push_back(Text(Data<uint32_t>(find.data, i)));
    return paths;
  }

  ProgramBuilder builder;
  std::string block;
  std::vector<Operation> list;
};

ProcessPlan Process(std::vector<std::string> args = {"/bin/true"}) {
  ProcessPlan process;
  process.args = std::move(args);
  process.cwd = "/";
  return process;
}

using Paths = std::vector<std::string>;

}  // namespace

TEST(CompileProcess, ProgramWithASlashIsNotSearched) {
  EXPECT_EQ(ProcessSteps(Process({"bin/x"})).Candidates(), Paths{"bin/x"});
}

TEST(CompileProcess, ProgramIsSearchedInThePathOfTheContainer) {
  ProcessPlan process = Process({"sh"});
  process.env = {"PATH=/first", "XPATH=/no", "PATH=/a::/b"};  // the last one counts
  EXPECT_EQ(ProcessSteps(process).Candidates(), (Paths{"/a/sh", "./sh", "/b/sh"}));
}

TEST(CompileProcess, WithoutPathTheUsualPlaces) {
  auto candidates = ProcessSteps(Process({"sh"})).Candidates();
  EXPECT_EQ(candidates.size(), 6u);
  EXPECT_EQ(candidates.front(), "/usr/local/sbin/sh");
  EXPECT_EQ(candidates.back(), "/bin/sh");
}

TEST(CompileProcess, ArgumentsAndEnvironmentAsTheyAre) {
  ProcessPlan process = Process({"/bin/x", "", "a b"});
  process.env = {"A=1", "HOME=/h"};
  ProcessSteps steps(process);
  EXPECT_EQ(steps.Words(steps.Only(Op::kExec).data), (Paths{"/bin/x", "", "a b"}));
  EXPECT_EQ(steps.Words(steps.Only(Op::kExec).data2), (Paths{"A=1", "HOME=/h"}));
  EXPECT_TRUE(steps.All(Op::kHome).empty());
}

TEST(CompileProcess, HomeIsFoundWhenTheEnvironmentHasNone) {
  ProcessPlan process = Process();
  process.env = {"A=1", "HOMER=x"};
  process.uid = 7;
  ProcessSteps steps(process);
  Operation home = steps.Only(Op::kHome);
  EXPECT_EQ(home.a, 7u);
  EXPECT_GE(home.b, 256u);
  // What it finds is the last variable.
  EXPECT_EQ(steps.Data<uint64_t>(steps.Only(Op::kExec).data2, 2), home.data);
  EXPECT_EQ(steps.Data<uint64_t>(steps.Only(Op::kExec).data2, 3), 0u);
}

TEST(CompileProcess, UserGroupsAndUmask) {
  ProcessPlan process = Process();
  process.uid = 1000;
  process.gid = 100;
  process.groups = {4, 5};
  process.umask = 027;
  ProcessSteps steps(process);
  Operation user = steps.Only(Op::kUser);
  EXPECT_EQ(user.a, 1000u);
  EXPECT_EQ(user.b, 100u);
  EXPECT_EQ(user.flags, launcher::kSetGroups);
  ASSERT_EQ(user.data_count, 2u);
  EXPECT_EQ(steps.Data<uint32_t>(user.data, 1), 5u);
  EXPECT_EQ(steps.Only(Op::kUmask).a, 027u);
  EXPECT_EQ(steps.Only(Op::kStdioOwner).a, 1000u);
  process.set_groups = false;
  EXPECT_EQ(ProcessSteps(process).Only(Op::kUser).flags, 0u);
}

TEST(CompileProcess, ADirectoryRefusedToRootIsTriedAsTheUser) {
  ProcessPlan process = Process();
  EXPECT_EQ(ProcessSteps(process).Only(Op::kChdir).flags, 0u);
  process.uid = 1;
  ProcessSteps steps(process);
  auto tries = steps.All(Op::kChdir);
  ASSERT_EQ(tries.size(), 2u);
  EXPECT_EQ(tries[0].flags, launcher::kTolerateAccess);
  EXPECT_EQ(tries[1].flags, launcher::kIfRefused);
}

TEST(CompileProcess, CapabilitySets) {
  ProcessPlan process = Process();
  process.capabilities = {
      .bounding = 1, .effective = 2, .inheritable = 4, .permitted = 8, .ambient = 16};
  ProcessSteps steps(process);
  EXPECT_EQ(steps.Only(Op::kBounding).a, 1u);
  Operation sets = steps.Only(Op::kCapabilities);
  EXPECT_EQ(steps.Data<uint64_t>(sets.data, 0), 2u);
  EXPECT_EQ(steps.Data<uint64_t>(sets.data, 1), 8u);
  EXPECT_EQ(steps.Data<uint64_t>(sets.data, 2), 4u);
  EXPECT_EQ(steps.Data<uint64_t>(sets.data, 3), 16u);
}

TEST(CompileProcess, LimitsAreTheLaunchersOrTheRuntimes) {
  ProcessPlan process = Process();
  process.rlimits = {{7, 10, 20}, {0, 1, 2}};
  process.oom_score_adj = -5;
  ProcessSteps steps(process);
  auto limits = steps.All(Op::kRlimit);
  ASSERT_EQ(limits.size(), 2u);
  EXPECT_EQ(limits[0].a, 7u);
  EXPECT_EQ(limits[0].b, 10u);
  EXPECT_EQ(limits[0].c, 20u);
  EXPECT_EQ(steps.Text(steps.Only(Op::kProcWrite).text2), "-5");
  ProcessSteps without(process, Limits::kByRuntime);
  EXPECT_TRUE(without.All(Op::kRlimit).empty());
  EXPECT_TRUE(without.All(Op::kProcWrite).empty());
}

TEST(CompileProcess, Scheduling) {
  ProcessPlan process = Process();
  process.scheduler = oci::Scheduler{.policy = 6,
                                     .nice = -3,
                                     .priority = 9,
                                     .flags = 5,
                                     .runtime = 10,
                                     .deadline = 20,
                                     .period = 30};
  process.io_priority = oci::IoPriority{.io_class = 2, .priority = 4};
  process.personality = 8;
  ProcessSteps steps(process);
  struct {  // sched_setattr(2)
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
  } attributes;
  auto at = steps.Only(Op::kScheduler).data;
  std::memcpy(&attributes, steps.block.data() + at, sizeof attributes);
  EXPECT_EQ(attributes.size, 48u);
  EXPECT_EQ(attributes.policy, 6u);
  EXPECT_EQ(attributes.flags, 5u);
  EXPECT_EQ(attributes.nice, -3);
  EXPECT_EQ(attributes.priority, 9u);
  EXPECT_EQ(attributes.runtime, 10u);
  EXPECT_EQ(attributes.deadline, 20u);
  EXPECT_EQ(attributes.period, 30u);
  EXPECT_EQ(steps.Only(Op::kIoPriority).a, 2u << 13 | 4u);
  EXPECT_EQ(steps.Only(Op::kPersonality).a, 8u);
}

TEST(CompileProcess, SecurityLabelsAreForTheExec) {
  ProcessPlan process = Process();
  process.apparmor_profile = "prof";
  process.selinux_label = "u:r:t:s0";
  ProcessSteps steps(process);
  auto writes = steps.All(Op::kProcWrite);
  ASSERT_EQ(writes.size(), 2u);
  EXPECT_EQ(steps.Text(writes[0].text2), "exec prof");
  EXPECT_EQ(steps.Text(writes[1].text2), "u:r:t:s0");
  for (const auto& write : writes) EXPECT_EQ(write.flags & launcher::kMayBeMissing, 0u);
}

TEST(CompileProcess, SeccompFilterFlagsAndListener) {
  ProcessPlan process = Process();
  process.seccomp.filter = {{6, 0, 0, 0x7fff0000}, {6, 0, 0, 1}};
  process.seccomp.flags = 8;
  process.seccomp.listener = Fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  process.seccomp.listener_state = "state";
  ProcessSteps steps(process);
  Operation install = steps.Only(Op::kSeccomp);
  ASSERT_EQ(install.data_count, 2u);
  EXPECT_EQ(steps.Data<sock_filter>(install.data, 1).k, 1u);
  EXPECT_EQ(install.a, 8u);
  EXPECT_EQ(install.fd, process.seccomp.listener.get());
  EXPECT_EQ(steps.builder.inherited()[0], process.seccomp.listener.get());
  EXPECT_EQ(steps.Text(install.text), "state");
  process.seccomp.listener.Reset();
  EXPECT_EQ(ProcessSteps(process).Only(Op::kSeccomp).fd, -1);
}

TEST(CompileHooks, PathArgumentsEnvironmentAndTimeout) {
  InnerHooks hooks;
  hooks.state = "{}";
  hooks.hooks.push_back({"/bin/one", {"name", "x"}, {{"A=1"}}, 3});
  hooks.hooks.push_back({"/bin/two", {}, {}, {}});
  ProcessSteps steps(hooks);
  Operation run = steps.Only(Op::kHooks);
  ASSERT_EQ(run.data_count, 2u);
  EXPECT_EQ(steps.Text(run.text), "{}");
  auto first = steps.Data<launcher::HookBlock>(run.data, 0);
  auto second = steps.Data<launcher::HookBlock>(run.data, 1);
  EXPECT_EQ(steps.Text(first.path), "/bin/one");
  EXPECT_EQ(steps.Words(first.argv), (Paths{"name", "x"}));
  EXPECT_EQ(steps.Words(first.envp), Paths{"A=1"});
  EXPECT_EQ(first.timeout, 3);
  EXPECT_EQ(steps.Words(second.argv), Paths{"/bin/two"});  // execve needs a name
  EXPECT_TRUE(steps.Words(second.envp).empty());
  EXPECT_EQ(second.timeout, 0);
  EXPECT_TRUE(ProcessSteps(InnerHooks{}).list.empty());
}

TEST(CompileHooks, WithoutAnEnvironmentOfItsOwnAHookHasThePlans) {
  using Env = std::vector<std::string>;
  InnerHooks hooks;
  hooks.env = {"A=1", "B=2"};
  hooks.hooks.push_back({"/bin/says-nothing", {}, {}, {}});
  hooks.hooks.push_back({"/bin/says-none", {}, Env{}, {}});
  ProcessSteps steps(hooks);
  Operation run = steps.Only(Op::kHooks);
  EXPECT_EQ(steps.Words(steps.Data<launcher::HookBlock>(run.data, 0).envp), (Env{"A=1", "B=2"}));
  EXPECT_TRUE(steps.Words(steps.Data<launcher::HookBlock>(run.data, 1).envp).empty());
}

}  // namespace kiste::isolation
