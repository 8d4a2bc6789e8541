// SPDX-License-Identifier: Apache-2.0
#include <linux/seccomp.h>
#include <sys/personality.h>

#include "base/strings.h"
#include "oci/capability_names.h"
#include "oci/config.h"
#include "runtime/environment.h"
#include "runtime/plan.h"
#include "sys/capabilities.h"
#include "sys/seccomp/seccomp.h"
#include "sys/socket.h"

namespace kiste::runtime {

sys::SeccompProfile SeccompProfileOf(const oci::Seccomp& seccomp) {
  sys::SeccompProfile profile;
  profile.default_action = seccomp.default_action;
  profile.default_errno_ret = seccomp.default_errno_ret;
  profile.architectures = seccomp.architectures;
  profile.flags = seccomp.flags;
  // Without a word about flags, as in runc: no speculation mitigations that the filter alone would
  // turn on (since Linux 5.16 the kernel's own default).
  if (!seccomp.flags_given) profile.flags = {"SECCOMP_FILTER_FLAG_SPEC_ALLOW"};
  profile.listener_path = seccomp.listener_path;
  profile.listener_metadata = seccomp.listener_metadata;
  profile.syscalls.reserve(seccomp.syscalls.size());
  for (const auto& rule : seccomp.syscalls) {
    sys::SeccompSyscall& copy = profile.syscalls.emplace_back();
    copy.names = rule.names;
    copy.action = rule.action;
    copy.errno_ret = rule.errno_ret;
    for (const auto& arg : rule.args)
      copy.args.push_back({arg.index, arg.value, arg.value_two, arg.op});
  }
  return profile;
}

namespace {

Status PlanSeccomp(const ProcessRequest& request, isolation::SeccompPlan& plan) {
  if (!request.linux.seccomp) return {};
  const auto& seccomp = *request.linux.seccomp;
  auto program = TRY_CONTEXT(
      sys::CompileSeccompCached(SeccompProfileOf(seccomp), request.seccomp_cache), "linux.seccomp");
  plan.filter = std::move(program.filter);
  plan.flags = program.flags;
  // Without a rule that notifies there is nothing to listen to (config-linux.md, "Seccomp").
  bool notifies = (plan.flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0;
  if (!notifies || seccomp.listener_path.empty()) return {};
  plan.listener =
      TRY_CONTEXT(sys::ConnectStream(seccomp.listener_path), "linux.seccomp.listenerPath");
  plan.listener_state = request.seccomp_state;
  return {};
}

std::string CapabilityNames(uint64_t set) {
  std::vector<std::string> names;
  for (int number = 0; number < 64; ++number) {
    if ((set >> number & 1) == 0) continue;
    auto name = oci::CapabilityName(number);
    names.push_back(name.empty() ? StrCat("capability ", number) : std::string(name));
  }
  return Join(names, ", ");
}

// Leaves out of `set` what is not in `within`, with a warning.
void Confine(std::string_view name, uint64_t within, std::string_view lack,
             const ProcessRequest& request, uint64_t& set) {
  uint64_t outside = set & ~within;
  set &= within;
  if (outside == 0) return;
  request.warn(StrCat("process.capabilities.", name, ": ", CapabilityNames(outside), ": ", lack,
                      ": left out"));
}

// A capability that cannot be granted is left out, with a warning (config.md, "Linux Process").
Status PlanCapabilities(const ProcessRequest& request, isolation::CapabilitySets& plan) {
  auto wanted = request.process.capabilities.value_or(oci::Capabilities{});
  plan = {.bounding = wanted.bounding.value_or(0),
          .effective = wanted.effective.value_or(0),
          .inheritable = wanted.inheritable.value_or(0),
          .permitted = wanted.permitted.value_or(0),
          .ambient = wanted.ambient.value_or(0)};
  for (const auto& name : request.process.ignored_capabilities) {
    request.warn(StrCat("process.capabilities: ", Quote(name),
                        " is no capability that this runtime knows: ignored"));
  }
  // capset(2) takes no more than these.
  Confine("effective", plan.permitted, "not permitted", request, plan.effective);
  Confine("inheritable", plan.bounding, "not in the bounding set", request, plan.inheritable);
  // capabilities(7): only what is both permitted and inheritable can be ambient.
  uint64_t never_ambient = plan.ambient & ~(plan.permitted & plan.inheritable);
  // Engines that leave the inheritable set empty (CVE-2022-24769), and write ambient ones all the
  // same, mean none: buildah does with every command, and its users see what we say.
  if (never_ambient != 0 && plan.inheritable != 0) {
    request.warn(StrCat("process.capabilities.ambient: ", CapabilityNames(never_ambient),
                        ": not both permitted and inheritable: left out"));
  }
  plan.ambient &= ~never_ambient;
  if (request.own_user_namespace) return {};  // all of them are ours in there
  uint64_t used = plan.bounding | plan.permitted | plan.effective | plan.inheritable;
  uint64_t grantable = TRY(sys::GrantableCapabilities(used));
  uint64_t missing = used & ~grantable;
  if (missing == 0) return {};
  request.warn(StrCat("process.capabilities: this runtime itself lacks ", CapabilityNames(missing),
                      ": the container does without"));
  plan.bounding &= grantable;
  plan.effective &= grantable;
  plan.inheritable &= grantable;
  plan.permitted &= grantable;
  plan.ambient &= grantable;
  return {};
}

}  // namespace

bool KeepsGroups(const std::map<std::string, std::string>& annotations) {
  auto found = annotations.find(oci::kKeepGroupsAnnotation);
  return found != annotations.end() && found->second == "1";
}

Result<isolation::ProcessPlan> PlanProcess(const ProcessRequest& request) {
  const auto& process = request.process;
  isolation::ProcessPlan plan;
  if (process.args.empty() && !request.absent)
    return Invalid("process.args: expected the program to run, found an empty list");
  plan.args = process.args;
  plan.env = TidyEnvironment(process.env);
  plan.cwd = process.cwd;
  plan.uid = process.user.uid;
  plan.gid = process.user.gid;
  if (!request.keep_groups) plan.groups = process.user.additional_gids;
  plan.set_groups = request.set_groups && !request.keep_groups;
  plan.keep_groups = request.keep_groups;
  if (!plan.set_groups && !plan.groups.empty()) {
    return Invalid("process.user.additionalGids: setgroups(2) is denied in this user namespace");
  }
  plan.umask = process.user.umask.value_or(022);
  TRY(PlanCapabilities(request, plan.capabilities));
  plan.rlimits = process.rlimits;
  plan.no_new_privileges = process.no_new_privileges;
  plan.oom_score_adj = process.oom_score_adj;
  TRY(PlanLabels(process, plan));
  plan.scheduler = process.scheduler;
  plan.io_priority = process.io_priority;
  if (request.linux.personality) {
    plan.personality = request.linux.personality->domain == "LINUX32" ? PER_LINUX32 : PER_LINUX;
  }
  PlanMemoryPolicy(request.linux, plan);
  plan.session_keyring = request.keyring;
  plan.terminal = process.terminal;
  if (process.terminal) plan.console_size = process.console_size;
  plan.preserve_fds = request.preserve_fds;
  TRY(PlanSeccomp(request, plan.seccomp));
  return plan;
}

}  // namespace kiste::runtime
