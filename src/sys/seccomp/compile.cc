// SPDX-License-Identifier: Apache-2.0
#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.h"
#include "sys/seccomp/apart.h"
#include "sys/seccomp/enosys.h"
#include "sys/seccomp/library.h"
#include "sys/seccomp/seccomp.h"
#include "sys/seccomp/words.h"

namespace kiste::sys {

namespace {

constexpr size_t kArguments = 6;  // of a system call, on every architecture

// libseccomp's tree pays off with many calls, and up to 2.5.4 it miscompiles a filter without any.
constexpr size_t kTreeThreshold = 32;

// Declares all that libseccomp 2.5 can do as usable, instead of letting it ask the running kernel:
// what is compiled must not depend on that (the cache outlives a reboot), and the kernel speaks
// for itself when the filter is installed.
Status DeclareApiLevel() {
  constexpr unsigned kLevel = 6;  // NOTIFY and TSYNC together
  static const int kResult = seccomp_api_set(kLevel);
  if (kResult < 0) return LibraryError(kResult, "seccomp_api_set 6 (libseccomp before 2.5)");
  return {};
}

Result<Filter> NewFilter(const SeccompProfile& profile, uint32_t default_action) {
  if (default_action == SCMP_ACT_NOTIFY) {
    return Invalid("defaultAction: SCMP_ACT_NOTIFY cannot be the default action");
  }
  TRY(DeclareApiLevel());
  Filter filter(seccomp_init(default_action));
  if (!filter) return SystemError(ENOMEM, "seccomp_init");
  int result = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_NNP, 0);
  if (result < 0) return LibraryError(result, "seccomp_attr_set CTL_NNP 0");
  size_t calls = 0;
  for (const auto& rule : profile.syscalls) calls += rule.names.size();
  if (calls > kTreeThreshold) {
    result = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (result < 0) return LibraryError(result, "seccomp_attr_set CTL_OPTIMIZE 2");
  }
  return filter;
}

// Adds the profile's architectures to the native one and returns them all, each once.
Result<std::vector<uint32_t>> AddArchitectures(const SeccompProfile& profile,
                                               const Filter& filter) {
  std::vector<uint32_t> tokens = {seccomp_arch_native()};
  for (size_t i = 0; i < profile.architectures.size(); ++i) {
    const std::string& word = profile.architectures[i];
    uint32_t token = TRY_CONTEXT(ArchitectureToken(word), StrCat("architectures[", i, "]"));
    if (std::ranges::find(tokens, token) != tokens.end()) continue;
    int result = seccomp_arch_add(filter.get(), token);
    if (result == -EDOM) {
      return Fail(ErrorKind::kUnsupported, StrCat("architectures[", i, "]: ", word,
                                                  " has another byte order than this machine"));
    }
    if (result < 0) return LibraryError(result, StrCat("seccomp_arch_add ", word));
    tokens.push_back(token);
  }
  return tokens;
}

Result<std::vector<scmp_arg_cmp>> Conditions(const SeccompSyscall& rule, size_t index) {
  std::vector<scmp_arg_cmp> conditions;
  for (size_t i = 0; i < rule.args.size(); ++i) {
    const SeccompArg& arg = rule.args[i];
    auto field = [&] { return Field(index, StrCat("args[", i, "]")); };
    if (arg.index >= kArguments) {
      return Invalid(StrCat(field(), ".index: ", arg.index, " is over ", kArguments - 1));
    }
    auto op = OperatorValue(arg.op);
    if (!op) return Context(std::move(op), StrCat(field(), ".op"));
    conditions.push_back({arg.index, *op, arg.value, arg.value_two});
  }
  return conditions;
}

bool ShareAnIndex(const std::vector<scmp_arg_cmp>& conditions) {
  std::array<bool, kArguments> seen{};
  for (const auto& condition : conditions) {
    if (std::exchange(seen[condition.arg], true)) return true;
  }
  return false;
}

// The number of `name` on the native architecture; negative for one that only others have (which
// libseccomp translates when the rule is added), nothing for one that none has.
std::optional<int> Resolve(const std::string& name) {
  if (name.find('\0') != std::string::npos) return std::nullopt;
  int number = seccomp_syscall_resolve_name(name.c_str());
  if (number == __NR_SCMP_ERROR) return std::nullopt;
  return number;
}

// Appends what a profile's rule `index` says of `name`.
Status AddName(uint32_t action, const std::string& name,
               const std::vector<scmp_arg_cmp>& conditions, size_t index, SeccompProgram& program,
               std::vector<Rule>& rules) {
  if (name.empty()) return Invalid(StrCat(Field(index, "names"), ": an empty name"));
  auto number = Resolve(name);
  if (!number) {
    program.ignored.push_back(name);
    return {};
  }
  Rule rule{.action = action, .number = *number, .index = index, .name = name};
  if (!ShareAnIndex(conditions)) {
    rule.conditions = conditions;
    rules.push_back(std::move(rule));
    return {};
  }
  for (const auto& condition : conditions) {
    rule.conditions = {condition};
    rules.push_back(rule);
  }
  return {};
}

// NOTIFY hands the call to another process. write(2) is how the launcher still reports after the
// filter is in place: it would wait for an agent that has not been given the listener yet.
Status CheckNotify(const SeccompSyscall& rule, size_t index) {
  if (std::ranges::find(rule.names, "write") == rule.names.end()) return {};
  return Invalid(StrCat(Field(index, "action"), ": SCMP_ACT_NOTIFY cannot be used for write"));
}

// The profile's rules, each for one call, but those that say what the default says: libseccomp
// refuses them. Notes in `program` which names are unknown and what the actions need.
Result<std::vector<Rule>> Rules(const SeccompProfile& profile, uint32_t default_action,
                                SeccompProgram& program) {
  std::vector<Rule> rules;
  for (size_t i = 0; i < profile.syscalls.size(); ++i) {
    const SeccompSyscall& rule = profile.syscalls[i];
    auto action = ActionValue(rule.action, rule.errno_ret);
    if (!action) return Context(std::move(action), Field(i, "action"));
    if (*action == SCMP_ACT_NOTIFY) {
      TRY(CheckNotify(rule, i));
      program.flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
    }
    auto conditions = TRY(Conditions(rule, i));
    if (*action == default_action) continue;
    for (const auto& name : rule.names) {
      TRY(AddName(*action, name, conditions, i, program, rules));
    }
  }
  return rules;
}

Status AddFlags(const SeccompProfile& profile, SeccompProgram& program) {
  for (size_t i = 0; i < profile.flags.size(); ++i) {
    auto bit = FlagBit(profile.flags[i]);
    if (!bit) return Context(std::move(bit), StrCat("flags[", i, "]"));
    program.flags |= *bit;
  }
  bool listener = (program.flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0;
  if (!listener && (program.flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) != 0) {
    return Invalid(
        "flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a rule with SCMP_ACT_NOTIFY");
  }
  // Both use the return value; the kernel takes them together only with this third one.
  if (listener && (program.flags & SECCOMP_FILTER_FLAG_TSYNC) != 0) {
    program.flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
  }
  return {};
}

// For each architecture the largest number among the profile's names.
std::vector<LastSyscall> LastSyscalls(const SeccompProfile& profile,
                                      const std::vector<uint32_t>& architectures) {
  std::vector<LastSyscall> last;
  for (uint32_t token : architectures) {
    int largest = 0;
    for (const auto& rule : profile.syscalls) {
      for (const auto& name : rule.names) {
        if (!Resolve(name)) continue;
        largest = std::max(largest, seccomp_syscall_resolve_name_arch(token, name.c_str()));
      }
    }
    if (largest > 0) last.push_back({token, static_cast<uint32_t>(largest)});
  }
  return last;
}

}  // namespace

Result<SeccompProgram> CompileSeccomp(const SeccompProfile& profile) {
  SeccompProgram program;
  uint32_t default_action =
      TRY_CONTEXT(ActionValue(profile.default_action, profile.default_errno_ret), "defaultAction");
  auto filter = TRY(NewFilter(profile, default_action));
  auto architectures = TRY(AddArchitectures(profile, filter));
  auto rules = TRY(Rules(profile, default_action, program));
  TRY(AddFlags(profile, program));
  auto apart = TakeMistaken(rules);
  for (const auto& rule : rules) TRY(AddRule(filter, rule));
  if (!IsPermissive(default_action) && default_action != SCMP_ACT_ERRNO(ENOSYS)) {
    program.filter = EnosysStub(LastSyscalls(profile, architectures));
  }
  TRY(AppendApart(std::move(apart), architectures, program.filter));
  auto compiled = TRY(Export(filter));
  program.filter.insert(program.filter.end(), compiled.begin(), compiled.end());
  TRY(CheckLength(program.filter));
  return program;
}

}  // namespace kiste::sys
