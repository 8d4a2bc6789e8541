// SPDX-License-Identifier: Apache-2.0
//
// The process: limits, who it is, what it may do, what it runs.
#include <linux/capability.h>
#include <sched.h>

#include <cstring>

#include "base/strings.h"
#include "isolation/namespaces/compile.h"
#include "oci/rlimit_names.h"

namespace kiste::isolation {

using launcher::Op;

namespace {

constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr size_t kHomeBytes = 1024;

struct SchedAttr {  // struct sched_attr, sched_setattr(2)
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};

// The value of `name` in the environment; the last one wins, as in a shell.
const std::string* FindVariable(const std::vector<std::string>& env, std::string_view name) {
  for (auto at = env.rbegin(); at != env.rend(); ++at) {
    if (at->size() > name.size() && at->starts_with(name) && (*at)[name.size()] == '=') return &*at;
  }
  return nullptr;
}

// Where the program may be: args[0] itself when it has a slash, else below each directory of PATH.
std::vector<std::string> Candidates(const ProcessPlan& process) {
  const std::string& name = process.args[0];
  if (name.find('/') != std::string::npos) return {name};
  std::string_view path = kDefaultPath;
  if (const auto* variable = FindVariable(process.env, "PATH")) {
    path = std::string_view(*variable).substr(sizeof("PATH=") - 1);
  }
  std::vector<std::string> candidates;
  for (auto directory : Split(path, ':')) {
    candidates.push_back(directory.empty() ? StrCat("./", name) : StrCat(directory, "/", name));
  }
  return candidates;
}

void AddScheduling(const ProcessPlan& process, ProgramBuilder& builder) {
  if (process.scheduler) {
    const auto& wanted = *process.scheduler;
    SchedAttr attributes{sizeof(SchedAttr), wanted.policy,  wanted.flags,    wanted.nice,
                         wanted.priority,   wanted.runtime, wanted.deadline, wanted.period};
    builder.Add({.op = Op::kScheduler, .data = builder.Struct(attributes)},
                "process.scheduler: sched_setattr");
  }
  if (process.io_priority) {
    constexpr int kClassShift = 13;
    int value = process.io_priority->io_class << kClassShift | process.io_priority->priority;
    builder.Add({.op = Op::kIoPriority, .a = static_cast<unsigned>(value)},
                "process.ioPriority: ioprio_set");
  }
  if (process.memory_policy) {
    const auto& nodes = process.memory_policy->nodes;
    builder.Add({.op = Op::kMemoryPolicy,
                 .data = builder.Data(nodes),
                 .data_count = static_cast<uint32_t>(nodes.size()),
                 .a = process.memory_policy->mode},
                "linux.memoryPolicy: set_mempolicy");
  }
  if (process.personality) {
    builder.Add({.op = Op::kPersonality, .a = *process.personality}, "linux.personality");
  }
}

// While a filter is still to be installed without no_new_privs, CAP_SYS_ADMIN stays (seccomp(2)).
// It ends with execve: what a program has then comes from the bounding, inheritable and ambient
// sets (capabilities(7)), which do not hold it. So execve is the one call that a filter must allow.
bool NeedsAdminForSeccomp(const ProcessPlan& process) {
  return !process.seccomp.filter.empty() && !process.no_new_privileges;
}

void AddCapabilities(const ProcessPlan& process, uint64_t extra, ProgramBuilder& builder) {
  const auto& sets = process.capabilities;
  std::vector<uint64_t> data = {sets.effective | extra, sets.permitted | extra, sets.inheritable,
                                sets.ambient};
  builder.Add({.op = Op::kCapabilities, .data = builder.Data(data)}, "process.capabilities");
}

}  // namespace

void CompileLimits(const ProcessPlan& process, ProgramBuilder& builder) {
  if (process.oom_score_adj) {
    builder.Add({.op = Op::kProcWrite,
                 .text = builder.Text("self/oom_score_adj"),
                 .text2 = builder.Text(StrCat(*process.oom_score_adj))},
                StrCat("process.oomScoreAdj: write ", *process.oom_score_adj));
  }
  for (const auto& limit : process.rlimits) {
    builder.Add({.op = Op::kRlimit,
                 .a = static_cast<unsigned>(limit.resource),
                 .b = limit.soft,
                 .c = limit.hard},
                StrCat("process.rlimits: set ", oci::NameOf(oci::kRlimitNames, limit.resource),
                       " to ", limit.soft, ":", limit.hard));
  }
}

void CompileProcess(const ProcessPlan& process, bool limits_set, ProgramBuilder& builder) {
  AddScheduling(process, builder);
  if (!limits_set) CompileLimits(process, builder);
  builder.Add({.op = Op::kStdioOwner, .a = process.uid}, "own the standard streams");
  builder.Add({.op = Op::kChdir,
               .flags = process.uid == 0 ? 0u : launcher::kTolerateAccess,
               .text = builder.Text(process.cwd)},
              "process.cwd: chdir");
  builder.Add({.op = Op::kUmask, .a = process.umask}, "umask");
  builder.Add({.op = Op::kBounding, .a = process.capabilities.bounding},
              "drop bounding capabilities");
  builder.Add({.op = Op::kUser,
               .flags = process.set_groups ? launcher::kSetGroups : 0u,
               .data = builder.Data(process.groups),
               .data_count = static_cast<uint32_t>(process.groups.size()),
               .a = process.uid,
               .b = process.gid},
              "process.user: switch user");
  uint64_t extra = NeedsAdminForSeccomp(process) ? uint64_t{1} << CAP_SYS_ADMIN : 0;
  AddCapabilities(process, extra, builder);
  if (process.uid != 0) {
    builder.Add(
        {.op = Op::kChdir, .flags = launcher::kIfRefused, .text = builder.Text(process.cwd)},
        "process.cwd: chdir");
  }
  if (!process.args.empty()) {
    auto candidates = Candidates(process);
    builder.Add({.op = Op::kFindExecutable,
                 .data = builder.TextList(candidates),
                 .data_count = static_cast<uint32_t>(candidates.size())},
                StrCat("exec: ", Quote(process.args[0])));
  }
  if (!process.apparmor_profile.empty()) {
    builder.Add({.op = Op::kProcWrite,
                 .text = builder.Text("self/attr/apparmor/exec"),
                 .text2 = builder.Text(StrCat("exec ", process.apparmor_profile))},
                StrCat("process.apparmorProfile: ", process.apparmor_profile));
  }
  if (!process.selinux_label.empty()) {
    builder.Add({.op = Op::kProcWrite,
                 .text = builder.Text("self/attr/exec"),
                 .text2 = builder.Text(process.selinux_label)},
                StrCat("process.selinuxLabel: ", process.selinux_label));
  }
  if (process.no_new_privileges)
    builder.Add({.op = Op::kNoNewPrivileges}, "prctl PR_SET_NO_NEW_PRIVS");
  builder.Add({.op = Op::kDeathSignal}, "prctl PR_SET_PDEATHSIG");
}

namespace {

std::vector<launcher::HookBlock> HookBlocks(const InnerHooks& hooks, launcher::Offset home,
                                            ProgramBuilder& builder) {
  std::vector<launcher::HookBlock> blocks;
  for (const auto& hook : hooks.hooks) {
    launcher::HookBlock block{};
    block.path = builder.Text(hook.path);
    block.argv =
        builder.Pointers(hook.args.empty() ? std::vector<std::string>{hook.path} : hook.args);
    block.envp = hook.env ? builder.Pointers(*hook.env) : builder.Pointers(hooks.env, home);
    block.timeout = hook.timeout.value_or(0);
    blocks.push_back(block);
  }
  return blocks;
}

launcher::Operation HooksOperation(const InnerHooks& hooks, launcher::Offset home,
                                   ProgramBuilder& builder) {
  auto blocks = HookBlocks(hooks, home, builder);
  return {.op = Op::kHooks,
          .text = builder.Text(hooks.state),
          .data = builder.Data(blocks),
          .data_count = static_cast<uint32_t>(blocks.size())};
}

}  // namespace

void CompileCreateHooks(const InnerHooks& hooks, ProgramBuilder& builder) {
  if (hooks.hooks.empty()) return;
  auto operation = HooksOperation(hooks, 0, builder);
  operation.flags = launcher::kFromRoot;
  builder.Add(operation, "hooks.createContainer");
}

void CompileStartHooks(const InnerHooks& hooks, launcher::Offset home, ProgramBuilder& builder) {
  if (hooks.hooks.empty()) return;
  builder.Add(HooksOperation(hooks, home, builder), "hooks.startContainer");
}

launcher::Offset CompileHome(const ProcessPlan& process, ProgramBuilder& builder) {
  if (FindVariable(process.env, "HOME") != nullptr) return 0;
  launcher::Offset home = builder.Space(kHomeBytes);
  builder.Add({.op = Op::kHome, .data = home, .a = process.uid, .b = kHomeBytes}, "find HOME");
  return home;
}

void CompileExec(const ProcessPlan& process, launcher::Offset home, ProgramBuilder& builder) {
  if (!process.seccomp.filter.empty()) {
    launcher::Operation operation{
        .op = Op::kSeccomp,
        .text = builder.Text(process.seccomp.listener_state),
        .data = builder.Data(process.seccomp.filter),
        .data_count = static_cast<uint32_t>(process.seccomp.filter.size()),
        .a = process.seccomp.flags};
    if (process.seccomp.listener) operation.fd = builder.Inherit(process.seccomp.listener.get());
    builder.Add(operation, "linux.seccomp: install the filter");
  }
  // Whether the policy allows the change of label shows here only.
  std::string words = process.selinux_label.empty()
                          ? "exec"
                          : StrCat("exec with process.selinuxLabel ", process.selinux_label);
  builder.Add({.op = Op::kExec,
               .data = builder.Pointers(process.args),
               .data2 = builder.Pointers(process.env, home)},
              std::move(words));
}

}  // namespace kiste::isolation
