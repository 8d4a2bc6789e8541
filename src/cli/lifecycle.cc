// SPDX-License-Identifier: Apache-2.0
//
// start, kill, delete, pause, resume: an id and little else.
#include "runtime/lifecycle.h"

#include <signal.h>

#include <functional>

#include "base/strings.h"
#include "cli/command.h"
#include "oci/signal_names.h"
#include "runtime/notify_socket.h"
#include "runtime/selection.h"

namespace kiste::cli {

namespace {

Result<int> RunStart(Session& session) {
  auto store = TRY(session.OpenStore());
  TRY(runtime::Start(store, session.Id(), runtime::ManagerSocket()));
  return 0;
}

#define KISTE_REGEX_OPTION \
  {"regex", 'r', nullptr, "the id is a regular expression: all containers that match"}

// Does `deed` to the container that is named, or to all that match (--regex).
Status ForNamed(Session& session, const runtime::Store& store,
                const std::function<Status(const std::string& id)>& deed) {
  if (!session.arguments.Switch("regex")) return deed(session.Id());
  return runtime::ForEachMatching(store, session.Id(), session.Warn(), deed);
}

constexpr Option kKillOptions[] = {
    {"all", 'a', nullptr, "signal every process in the container"},
    KISTE_REGEX_OPTION,
};

Result<int> RunKill(Session& session) {
  const auto& words = session.arguments.positional();
  std::string name = words.size() > 1 ? words[1] : "SIGTERM";
  auto signal = oci::ParseSignal(name);
  if (!signal) return Invalid(StrCat("unknown signal ", Quote(name)));
  auto store = TRY(session.OpenStore());
  auto scope = session.arguments.Switch("all") ? runtime::KillScope::kAll
                                               : runtime::KillScope::kFirstProcess;
  TRY(ForNamed(session, store,
               [&](const std::string& id) { return runtime::Kill(store, id, *signal, scope); }));
  return 0;
}

constexpr Option kDeleteOptions[] = {
    {"force", 'f', nullptr, "kill what runs first; an unknown id is no error"},
    KISTE_REGEX_OPTION,
};

Result<int> RunDelete(Session& session) {
  auto force = session.arguments.Switch("force") ? runtime::Force::kYes : runtime::Force::kNo;
  auto store = session.OpenStore();
  if (!store && store.error().kind == ErrorKind::kNotFound && force == runtime::Force::kYes) {
    if (!session.arguments.Switch("regex")) TRY(runtime::ValidateId(session.Id()));
    return 0;
  }
  if (!store) return std::unexpected(std::move(store).error());
  TRY(ForNamed(session, *store, [&](const std::string& id) {
    return runtime::Delete(*store, id, force, session.Warn());
  }));
  return 0;
}

Result<int> RunPause(Session& session) {
  auto store = TRY(session.OpenStore());
  TRY(runtime::Pause(store, session.Id()));
  return 0;
}

Result<int> RunResume(Session& session) {
  auto store = TRY(session.OpenStore());
  TRY(runtime::Resume(store, session.Id()));
  return 0;
}

}  // namespace

const Command kStartCommand = {
    "start", "<container-id>", "run the program of a created container", {}, 1, 1, RunStart};
const Command kKillCommand = {"kill",
                              "<container-id> [signal]",
                              "send a signal (default SIGTERM), by name or number",
                              kKillOptions,
                              1,
                              2,
                              RunKill};
const Command kDeleteCommand = {
    "delete", "<container-id>", "remove a stopped container and all it holds", kDeleteOptions, 1,
    1,        RunDelete};
const Command kPauseCommand = {
    "pause", "<container-id>", "stop every process of the container", {}, 1, 1, RunPause};
const Command kResumeCommand = {"resume", "<container-id>", "let a paused container go on", {}, 1,
                                1,        RunResume};

}  // namespace kiste::cli
