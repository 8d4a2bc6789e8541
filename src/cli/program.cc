// SPDX-License-Identifier: Apache-2.0
#include "cli/program.h"

#include <seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/strings.h"
#include "cli/command.h"
#include "oci/state.h"
#include "sys/file.h"
#include "sys/inherited_descriptors.h"
#include "sys/user_namespace.h"

#ifndef KISTE_VERSION
#error "KISTE_VERSION is set by CMakeLists.txt"
#endif

namespace kiste::cli {

namespace {

constexpr std::string_view kProgram = "kiste-oci";

constexpr Option kGlobalOptions[] = {
    {"root", 0, "DIR", "state folder (default /run/kiste, or $XDG_RUNTIME_DIR/kiste)"},
    {"log", 0, "FILE", "append entries there, or to journald:NAME, syslog:NAME (default: stderr)"},
    {"log-format", 0, "text|json", "form of log entries (default text)"},
    {"log-level", 0, "debug|info|warning|error", "the least that is logged (default info)"},
    {"debug", 0, nullptr, "the same as --log-level=debug"},
    {"systemd-cgroup", 0, nullptr, "let systemd make the cgroups"},
    {"cgroup-manager", 0, "cgroupfs|systemd|disabled", "who makes cgroups (default cgroupfs)"},
    {"timeout", 0, "SECONDS", "how long to wait for a process that does not answer (default 30)"},
    {"rootless", 0, "true|false|auto", "do without cgroups that are refused (default auto)"},
    {"criu", 0, "PATH", "ignored: criu is looked for in $PATH"},
    {"help", 'h', nullptr, "show this"},
    {"version", 'v', nullptr, "show the version"},
};

Status Print(std::string_view text) { return sys::WriteAll(1, text, "standard output"); }

std::string VersionText() {
  return StrCat(kProgram, " version ", KISTE_VERSION, "\ncommit: ", KISTE_COMMIT,
                "\nspec: ", oci::kVersion, "\nlibseccomp: ", LibseccompVersion(), "\n");
}

std::string ProgramHelp() {
  std::string text =
      StrCat("kiste-oci - OCI runtime: runs containers from bundles\n\nUSAGE:\n   ", kProgram,
             " [global options] command [options] [arguments]\n\nCOMMANDS:\n");
  for (const auto& command : Commands()) text += CommandRow(command);
  return StrCat(text, "\nGLOBAL OPTIONS:\n", DescribeOptions(kGlobalOptions));
}

const Command* FindCommand(std::string_view name) {
  for (const auto& command : Commands()) {
    if (name == command.name) return &command;
  }
  return nullptr;
}

// XDG_RUNTIME_DIR is the user's own; root has /run, whatever its variables say. An ordinary user
// who is root in a user namespace, as podman makes one for its runtime, is an ordinary user, unless
// USER says root, as within a system container: runc's rule.
bool IsOrdinaryUser() {
  if (geteuid() != 0) return true;
  const char* user = std::getenv("USER");
  return sys::IsInUserNamespace() && (user == nullptr || std::string_view(user) != "root");
}

std::string DefaultRoot() {
  const char* runtime_dir = std::getenv("XDG_RUNTIME_DIR");
  if (IsOrdinaryUser() && runtime_dir != nullptr && runtime_dir[0] == '/')
    return StrCat(runtime_dir, "/kiste");
  if (geteuid() != 0) return StrCat("/tmp/kiste-", geteuid());
  return "/run/kiste";
}

Status ReadRootless(const Arguments& global, Session& session) {
  std::string word = global.Value("rootless", "auto");
  if (word == "true" || word == "false") {
    session.rootless = word == "true";
  } else if (word != "auto") {
    return Invalid(StrCat("--rootless: expected true, false or auto, found ", Quote(word)));
  }
  return {};
}

Status ReadTimeout(const Arguments& global, Session& session) {
  constexpr unsigned kMost = 24 * 60 * 60;
  unsigned seconds = TRY(global.Number("timeout", static_cast<unsigned>(kPatience.count() / 1000)));
  if (seconds < 1 || seconds > kMost)
    return Invalid(StrCat("--timeout: expected 1 to ", kMost, " seconds, found ", seconds));
  session.patience = std::chrono::seconds(seconds);
  return {};
}

Status ReadCgroupManager(const Arguments& global, Session& session) {
  std::string word =
      global.Value("cgroup-manager", global.Switch("systemd-cgroup") ? "systemd" : "cgroupfs");
  session.no_cgroups = word == "disabled";
  session.systemd_cgroup = word == "systemd";
  if (word != "cgroupfs" && word != "systemd" && word != "disabled") {
    return Invalid(
        StrCat("--cgroup-manager: expected cgroupfs, systemd or disabled, found ", Quote(word)));
  }
  return {};
}

Status OpenLog(const Arguments& global, Log& log) {
  std::string format = global.Value("log-format", "text");
  if (format != "text" && format != "json") {
    return Invalid(StrCat("--log-format: expected text or json, found ", Quote(format)));
  }
  std::string word = global.Value("log-level", global.Switch("debug") ? "debug" : "info");
  auto level = ParseLogLevel(word);
  if (!level) {
    return Invalid(
        StrCat("--log-level: expected debug, info, warning or error, found ", Quote(word)));
  }
  log.set_level(*level);
  return log.Open(global.Value("log"), format == "json" ? LogFormat::kJson : LogFormat::kText,
                  kProgram);
}

// Which argument is the container's id, if one is.
std::optional<size_t> IdPosition(const Command& command) {
  auto names = ArgumentNames(command.arguments);
  auto at = std::find(names.begin(), names.end(), "container-id");
  if (at == names.end()) return std::nullopt;
  return static_cast<size_t>(at - names.begin());
}

// What is known of the request when it fails.
struct Request {
  int failure_code = 1;  // the command's own once its command line is understood
  std::string command, container;
};

constexpr char kArgumentsStep[] = "arguments";

Status ReadCommandLine(const Command& command, const Arguments& global, Session& session) {
  TRY(CheckCount(command, session.arguments.positional().size()));
  TRY(ReadRootless(global, session));
  TRY(ReadCgroupManager(global, session));
  return ReadTimeout(global, session);
}

// Callers of other commands take no notice of it, and may read standard error with the answer.
void WarnOfCriu(const Command& command, const Arguments& global, const Session& session) {
  std::string_view name = command.name;
  if (!global.Has("criu") || (name != "checkpoint" && name != "restore")) return;
  session.Warn()("--criu: ignored: criu is looked for in $PATH");
}

Result<int> RunCommand(const Command& command, const Arguments& global, Session& session,
                       Request& request) {
  std::span<const std::string> words(global.positional());
  session.arguments = TRY_STEP(ParseArguments(command, words.subspan(1)), kArgumentsStep);
  if (session.arguments.Has("help")) {
    TRY(Print(CommandHelp(kProgram, command)));
    return 0;
  }
  auto id = IdPosition(command);
  session.id_position = id.value_or(0);
  if (id && session.arguments.positional().size() > *id) request.container = session.Id();
  TRY_STEP(ReadCommandLine(command, global, session), kArgumentsStep);
  session.log.Write(LogLevel::kDebug, StrCat(kProgram, " ", KISTE_VERSION, ": ", command.name,
                                             ", state folder ", session.root));
  WarnOfCriu(command, global, session);
  request.failure_code = command.failure_code;
  return command.run(session);
}

Result<int> Dispatch(const Arguments& global, Log& log, Request& request) {
  if (global.Has("version")) {
    TRY(Print(VersionText()));
    return 0;
  }
  const auto& words = global.positional();
  if (global.Has("help") || words.empty() || words[0] == "help") {
    const Command* about = words.size() > 1 ? FindCommand(words[1]) : nullptr;
    TRY(Print(about != nullptr ? CommandHelp(kProgram, *about) : ProgramHelp()));
    return 0;
  }
  const Command* command = FindCommand(words[0]);
  if (command == nullptr) {
    return AtStep(Result<int>(Invalid(StrCat("unknown command ", Quote(words[0])))),
                  kArgumentsStep);
  }
  request.command = command->name;
  Session session{.log = log, .root = sys::CleanPath(global.Value("root", DefaultRoot()))};
  if (session.root[0] != '/') {
    session.root = StrCat(TRY(sys::CurrentDirectory()), "/", session.root);
  }
  return RunCommand(*command, global, session, request);
}

}  // namespace

std::span<const Option> GlobalOptions() { return kGlobalOptions; }

std::string_view ProgramVersion() { return KISTE_VERSION; }
std::string_view ProgramCommit() { return KISTE_COMMIT; }

std::string LibseccompVersion() {
  const auto* version = seccomp_version();
  return StrCat(version->major, ".", version->minor, ".", version->micro);
}

int RunProgram(const std::vector<std::string>& words) {
  // The processes that this one starts in containers share its memory until they exec: nobody in
  // there may look into it. (An ordinary user's runtime must stay readable to write its id maps.)
  if (geteuid() == 0) prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  Log log;
  Request request;
  if (auto tidied = sys::TidyInheritedDescriptors(); !tidied) {
    log.Fatal(kProgram, tidied.error());
    return request.failure_code;
  }
  auto global = ParseArguments(kGlobalOptions, words);
  if (!global) {
    log.Fatal(kProgram, std::move(global).error().At(kArgumentsStep));
    return request.failure_code;
  }
  if (auto opened = OpenLog(*global, log); !opened) {
    log.Fatal(kProgram, std::move(opened).error().At(kArgumentsStep));
    return request.failure_code;
  }
  auto code = Dispatch(*global, log, request);
  if (code) return *code;
  log.Fatal(kProgram, code.error(), {request.command, request.container});
  return request.failure_code;
}

}  // namespace kiste::cli
