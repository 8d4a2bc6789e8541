// SPDX-License-Identifier: Apache-2.0
//
// config.md, "Process", "POSIX process" and "Linux Process".
#include <algorithm>
#include <limits>

#include "base/strings.h"
#include "oci/capability_names.h"
#include "oci/fields.h"
#include "oci/readers.h"
#include "oci/rlimit_names.h"

namespace kiste::oci {

using json::Value;

namespace {

Result<User> ReadUser(const Value& value) {
  constexpr int64_t kAllBits = 0777;
  User user;
  if (!TRY(HasObject(value))) return user;
  if (Value uid = value["uid"]) user.uid = TRY(Id(uid));
  if (Value gid = value["gid"]) user.gid = TRY(Id(gid));
  if (Value umask = value["umask"]) {
    user.umask = static_cast<uint32_t>(TRY(IntBetween(umask, 0, kAllBits)));
  }
  user.additional_gids = TRY(ListOf(value["additionalGids"], Id));
  return user;
}

Result<uint16_t> ReadConsoleLength(const Value& value) {
  return static_cast<uint16_t>(TRY(IntBetween(value, 0, std::numeric_limits<uint16_t>::max())));
}

Result<ConsoleSize> ReadConsoleSize(const Value& value) {
  TRY(value.ExpectObject());
  ConsoleSize size;
  size.rows = TRY(ReadConsoleLength(value["height"]));
  size.columns = TRY(ReadConsoleLength(value["width"]));
  return size;
}

Result<std::vector<std::string>> ReadArgs(const Value& value) {
  std::vector<std::string> args = TRY(value.Strings());
  if (args.empty()) return value.Expected("a command and its arguments");
  if (args[0].empty()) return ExpectedAt(value, 0, "a command");
  return args;
}

Result<std::vector<std::string>> ReadEnv(const Value& value) {
  std::vector<std::string> env = TRY(value.Strings());
  for (size_t i = 0; i < env.size(); ++i) {
    size_t equals = env[i].find('=');
    if (equals == 0 || equals == std::string::npos) return ExpectedAt(value, i, "NAME=value");
  }
  return env;
}

// A set of names as bits. Names that are not known go to `ignored`: the specification wants a
// warning, not a failure.
Result<std::optional<uint64_t>> ReadCapabilitySet(const Value& value,
                                                  std::vector<std::string>& ignored) {
  if (!value) return std::nullopt;
  uint64_t set = 0;
  for (auto& name : TRY(value.Strings())) {
    if (auto number = CapabilityNumber(name)) {
      set |= uint64_t{1} << *number;
    } else {
      ignored.push_back(std::move(name));
    }
  }
  return set;
}

Status ReadCapabilities(const Value& value, Process& process) {
  if (!TRY(HasObject(value))) return {};
  auto& ignored = process.ignored_capabilities;
  Capabilities& sets = process.capabilities.emplace();
  sets.bounding = TRY(ReadCapabilitySet(value["bounding"], ignored));
  sets.effective = TRY(ReadCapabilitySet(value["effective"], ignored));
  sets.inheritable = TRY(ReadCapabilitySet(value["inheritable"], ignored));
  sets.permitted = TRY(ReadCapabilitySet(value["permitted"], ignored));
  sets.ambient = TRY(ReadCapabilitySet(value["ambient"], ignored));
  std::ranges::sort(ignored);
  auto repeated = std::ranges::unique(ignored);
  ignored.erase(repeated.begin(), repeated.end());
  return {};
}

Result<Rlimit> ReadRlimit(const Value& value) {
  TRY(value.ExpectObject());
  Rlimit limit;
  limit.resource = TRY(Named(value["type"], kRlimitNames));
  limit.soft = TRY(value["soft"].Uint());
  limit.hard = TRY(value["hard"].Uint());
  if (limit.soft > limit.hard) {
    return value.Wrong(
        StrCat("the soft limit ", limit.soft, " is above the hard one, ", limit.hard));
  }
  return limit;
}

Result<std::vector<Rlimit>> ReadRlimits(const Value& value) {
  std::vector<Rlimit> limits = TRY(ListOf(value, ReadRlimit));
  for (size_t i = 0; i < limits.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (limits[i].resource != limits[j].resource) continue;
      return WrongAt(
          value, i,
          StrCat("element ", j, " limits ", NameOf(kRlimitNames, limits[i].resource), " already"));
    }
  }
  return limits;
}

}  // namespace

Result<Process> ReadProcess(const Value& value) {
  TRY(value.ExpectObject());
  Process process;
  process.terminal = TRY(value["terminal"].BoolOr(false));
  // "Ignored if terminal is false" (config.md, "Process"): of the right type, but whatever is in
  // it.
  if (TRY(HasObject(value["consoleSize"])) && process.terminal) {
    process.console_size = TRY(ReadConsoleSize(value["consoleSize"]));
  }
  process.user = TRY(ReadUser(value["user"]));
  process.args = TRY(ReadArgs(value["args"]));
  process.env = TRY(ReadEnv(value["env"]));
  process.cwd = TRY(AbsolutePath(value["cwd"]));
  TRY(ReadCapabilities(value["capabilities"], process));
  process.rlimits = TRY(ReadRlimits(value["rlimits"]));
  process.no_new_privileges = TRY(value["noNewPrivileges"].BoolOr(false));
  process.apparmor_profile = TRY(OptionalString(value["apparmorProfile"]));
  process.selinux_label = TRY(OptionalString(value["selinuxLabel"]));
  TRY(ReadScheduling(value, process));
  return process;
}

}  // namespace kiste::oci
