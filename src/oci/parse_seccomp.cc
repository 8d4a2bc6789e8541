// SPDX-License-Identifier: Apache-2.0
//
// config-linux.md, "Seccomp". Names stay text here: src/sys/seccomp turns them into libseccomp's
// numbers, of which this host's library may not have all.
#include <algorithm>

#include "base/strings.h"
#include "oci/fields.h"
#include "oci/readers.h"
#include "oci/seccomp_names.h"

namespace kiste::oci {

using json::Value;

namespace {

constexpr std::string_view kNotify = "SCMP_ACT_NOTIFY";

// What SECCOMP_RET_DATA can carry.
Result<std::optional<uint32_t>> ReadErrno(const Value& value) {
  constexpr int64_t kMost = 0xffff;
  if (!value) return std::nullopt;
  return static_cast<uint32_t>(TRY(IntBetween(value, 0, kMost)));
}

Result<SeccompArg> ReadArg(const Value& value) {
  constexpr int64_t kLastArgument = 5;
  TRY(value.ExpectObject());
  SeccompArg arg;
  arg.index = static_cast<uint32_t>(TRY(IntBetween(value["index"], 0, kLastArgument)));
  arg.value = TRY(value["value"].Uint());
  arg.value_two = TRY(OptionalUint(value["valueTwo"])).value_or(0);
  arg.op = TRY(OneOf(value["op"], kSeccompOperators));
  return arg;
}

Result<SeccompSyscall> ReadSyscall(const Value& value) {
  TRY(value.ExpectObject());
  SeccompSyscall rule;
  Value names = value["names"];
  rule.names = TRY(names.Strings());
  if (rule.names.empty()) return names.Expected("at least one name of a system call");
  if (auto empty = std::ranges::find(rule.names, ""); empty != rule.names.end()) {
    return ExpectedAt(names, static_cast<size_t>(empty - rule.names.begin()),
                      "a system call's name");
  }
  rule.action = TRY(OneOf(value["action"], kSeccompActions));
  rule.errno_ret = TRY(ReadErrno(value["errnoRet"]));
  rule.args = TRY(ListOf(value["args"], ReadArg));
  return rule;
}

// The agent must be named when it is to be asked. And it cannot be asked about everything, nor
// about write, with which its descriptor is handed over (runc's rule too).
Status CheckNotify(const Seccomp& seccomp, const Value& value) {
  if (seccomp.default_action == kNotify) {
    return value["defaultAction"].Wrong("SCMP_ACT_NOTIFY cannot be the default action");
  }
  for (size_t i = 0; i < seccomp.syscalls.size(); ++i) {
    const auto& rule = seccomp.syscalls[i];
    if (rule.action != kNotify) continue;
    if (seccomp.listener_path.empty()) {
      return value["listenerPath"].Wrong("missing, and SCMP_ACT_NOTIFY needs it");
    }
    if (std::ranges::find(rule.names, "write") != rule.names.end()) {
      return WrongAt(value["syscalls"], i, "SCMP_ACT_NOTIFY cannot be used for write");
    }
  }
  return {};
}

}  // namespace

Result<std::optional<Seccomp>> ReadSeccomp(const Value& value) {
  if (!TRY(HasObject(value))) return std::nullopt;
  Value action = value["defaultAction"], syscalls = value["syscalls"];
  // Engines write an object without action and rules for "no filter".
  const bool has_rules = syscalls && !(syscalls.is_array() && syscalls.size() == 0);
  if (!has_rules && TRY(OptionalString(action)).empty()) return std::nullopt;

  Seccomp seccomp;
  seccomp.default_action = TRY(OneOf(action, kSeccompActions));
  seccomp.default_errno_ret = TRY(ReadErrno(value["defaultErrnoRet"]));
  seccomp.architectures = TRY(ListOf(value["architectures"], [](const Value& arch) {
    return OneOf(arch, kSeccompArchitectures);
  }));
  seccomp.flags_given = value["flags"].present();
  seccomp.flags =
      TRY(ListOf(value["flags"], [](const Value& flag) { return OneOf(flag, kSeccompFlags); }));
  seccomp.listener_path = TRY(OptionalString(value["listenerPath"]));
  seccomp.listener_metadata = TRY(OptionalString(value["listenerMetadata"]));
  if (!seccomp.listener_metadata.empty() && seccomp.listener_path.empty()) {
    return value["listenerMetadata"].Wrong("there is no listenerPath to send it to");
  }
  seccomp.syscalls = TRY(ListOf(syscalls, ReadSyscall));
  TRY(CheckNotify(seccomp, value));
  return seccomp;
}

}  // namespace kiste::oci
