// SPDX-License-Identifier: Apache-2.0
//
// A command of kiste-oci: one file each (cli/<name>.cc), one table of them (commands.cc).
#pragma once

#include <chrono>
#include <span>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "cli/help.h"
#include "cli/options.h"
#include "runtime/plan.h"
#include "runtime/store.h"

namespace kiste::cli {

// What the global options say; the same for every command.
struct Session {
  Log& log;
  std::string root;                                // --root, or the default of this user
  std::optional<bool> rootless;                    // --rootless; nullopt: found out
  bool no_cgroups = false;                         // --cgroup-manager=disabled
  bool systemd_cgroup = false;                     // --cgroup-manager=systemd, --systemd-cgroup
  std::chrono::milliseconds patience = kPatience;  // --timeout
  Arguments arguments;                             // the command's own

  runtime::Warn Warn() const;
  // The state folder of a container that is asked about: looked for, not made.
  Result<runtime::Store> OpenStore() const;
  // The state folder of a container that is made: made when missing.
  Result<runtime::Store> MakeStore() const;
  // The argument <container-id>.
  const std::string& Id() const { return arguments.positional()[id_position]; }
  size_t id_position = 0;
};

struct Command : CommandText {
  // The exit code.
  Result<int> (*run)(Session& session);
  int failure_code = 1;  // when it fails
};

// "<container-id> [signal]" are two arguments by name, "add|remove <file>" too.
std::vector<std::string> ArgumentNames(std::string_view arguments);

std::span<const Command> Commands();

extern const Command kCheckpointCommand, kCompletionCommand, kCreateCommand, kDeleteCommand,
    kEventsCommand, kExecCommand, kFeaturesCommand, kKillCommand, kListCommand, kMountsCommand,
    kPauseCommand, kPsCommand, kRestoreCommand, kResumeCommand, kRunCommand, kSpecCommand,
    kStartCommand, kStateCommand, kSurfaceCommand, kUpdateCommand;

}  // namespace kiste::cli
