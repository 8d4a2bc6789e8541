// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec.h"

#include <set>

#include "base/strings.h"
#include "cli/command.h"
#include "oci/capability_names.h"
#include "runtime/environment.h"

namespace kiste::cli {

namespace {

constexpr size_t kAnyNumber = 100'000;

constexpr Option kOptions[] = {
    {"process", 'p', "FILE",
     "a process object instead of the options below; - from standard input"},
    {"detach", 'd', nullptr, "return as soon as the process runs"},
    {"tty", 't', nullptr, "give it a terminal"},
    {"console-socket", 0, "PATH", "Unix socket that is sent the terminal"},
    {"pidfd-socket", 0, "PATH", "Unix socket that is sent a pidfd of the process"},
    {"pid-file", 0, "FILE", "write the process's pid there"},
    {"cwd", 0, "DIR", "working directory"},
    {"env", 'e', "NAME=VALUE", "add a variable (again for more)"},
    {"user", 'u', "UID[:GID]", "who it is"},
    {"additional-gids", 'g', "GID", "further groups (again for more)"},
    {"cap", 'c', "CAP_NAME", "add a capability (again for more)"},
    {"no-new-privs", 0, nullptr, "set no_new_privs"},
    {"process-label", 0, "LABEL", "SELinux label"},
    {"apparmor", 0, "PROFILE", "AppArmor profile"},
    {"preserve-fds", 0, "N", "hand over descriptors 3 to 2+N (default 0)"},
    {"ignore-paused", 0, nullptr, "also in a paused container"},
    {"cgroup", 0, "[CONTROLLERS:]PATH", "start in a cgroup below the container's"},
};

Result<uint32_t> ReadId(std::string_view option, std::string_view text) {
  auto id = ParseUint(text);
  if (id && *id < UINT32_MAX) return static_cast<uint32_t>(*id);
  return Invalid(StrCat("--", option, ": expected a number, found ", Quote(text)));
}

// What is not given, or empty, stays the container's, as in runc.
Status ReadUser(const std::string& text, runtime::ExecOptions& options) {
  if (text.empty()) return {};
  auto parts = Split(text, ':');
  if (parts.size() > 2) return Invalid(StrCat("--user: expected UID[:GID], found ", Quote(text)));
  options.uid = TRY(ReadId("user", parts[0]));
  if (parts.size() > 1) options.gid = TRY(ReadId("user", parts[1]));
  return {};
}

// A name that is not known is warned about, as in config.json.
std::vector<int> ReadCapabilities(const Session& session) {
  std::vector<int> capabilities;
  for (const auto& name : session.arguments.Values("cap")) {
    if (auto number = oci::CapabilityNumber(name)) {
      capabilities.push_back(*number);
    } else {
      session.Warn()(
          StrCat("--cap: ", Quote(name), " is no capability that this runtime knows: ignored"));
    }
  }
  return capabilities;
}

// "path" or ":path" alone, or "cpu,memory:path" once or more for different controllers, as runc has
// it.
Result<std::vector<sys::cgroup::SubPath>> ReadSubPaths(const std::vector<std::string>& texts) {
  std::vector<sys::cgroup::SubPath> paths;
  std::set<std::string_view> seen;
  auto wrong = [](std::string_view text, std::string_view why) {
    return Invalid(StrCat("--cgroup: ", Quote(text), ": ", why));
  };
  for (const auto& text : texts) {
    size_t colon = text.find(':');
    if (colon == std::string::npos || colon == 0) {
      if (texts.size() > 1) return wrong(text, "expected CONTROLLERS:PATH beside another one");
      return std::vector<sys::cgroup::SubPath>{{{}, colon == 0 ? text.substr(1) : text}};
    }
    sys::cgroup::SubPath sub{{}, text.substr(colon + 1)};
    for (auto controller : Split(std::string_view(text).substr(0, colon), ',')) {
      if (controller.empty()) return wrong(text, "expected a controller's name before the colon");
      if (!seen.insert(controller).second) {
        return wrong(text, StrCat("the controller ", controller, " is given more than once"));
      }
      sub.controllers.emplace_back(controller);
    }
    paths.push_back(std::move(sub));
  }
  return paths;
}

Result<runtime::ExecOptions> ReadOptions(const Session& session) {
  const auto& arguments = session.arguments;
  runtime::ExecOptions options;
  options.process_file = arguments.Value("process");
  const auto& words = arguments.positional();
  options.args.assign(words.begin() + 1, words.end());
  if (options.process_file.empty() && options.args.empty()) {
    return Invalid("expected a command to run behind the container id, or --process");
  }
  options.env = arguments.Values("env");
  for (const auto& variable : options.env) {
    if (variable.find('=') == std::string::npos || variable[0] == '=') {
      return Invalid(StrCat("--env: expected NAME=VALUE, found ", Quote(variable)));
    }
  }
  options.cwd = arguments.Value("cwd");
  if (!options.cwd.empty() && options.cwd[0] != '/') {
    return Invalid(StrCat("--cwd: expected an absolute path, found ", Quote(options.cwd)));
  }
  TRY(ReadUser(arguments.Value("user"), options));
  for (const auto& gid : arguments.Values("additional-gids")) {
    options.additional_gids.push_back(TRY(ReadId("additional-gids", gid)));
  }
  options.capabilities = ReadCapabilities(session);
  if (arguments.Has("no-new-privs")) options.no_new_privileges = arguments.Switch("no-new-privs");
  options.terminal = arguments.Switch("tty");
  options.apparmor_profile = arguments.Value("apparmor");
  options.selinux_label = arguments.Value("process-label");
  return options;
}

Result<int> Run(Session& session) {
  const auto& arguments = session.arguments;
  runtime::ExecRequest request;
  request.id = session.Id();
  request.options = TRY(ReadOptions(session));
  request.detach = arguments.Switch("detach");
  request.console_socket = arguments.Value("console-socket");
  request.pidfd_socket = arguments.Value("pidfd-socket");
  request.pid_file = arguments.Value("pid-file");
  request.preserve_fds = TRY(arguments.Number("preserve-fds", 0)) + runtime::AnnouncedListenFds();
  request.ignore_paused = arguments.Switch("ignore-paused");
  request.cgroups = TRY(ReadSubPaths(arguments.Values("cgroup")));
  request.warn = session.Warn();
  auto store = TRY(session.OpenStore());
  return runtime::Exec(store, request);
}

}  // namespace

// A failure is told apart from an exit code of the process: 255, as runc has it.
const Command kExecCommand = {"exec",
                              "<container-id> [command] [arguments]",
                              "run another process in a container",
                              kOptions,
                              1,
                              kAnyNumber,
                              Run,
                              255};

}  // namespace kiste::cli
