// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

namespace kiste::cli {

std::span<const Command> Commands() {
  static const Command kCommands[] = {
      kCreateCommand, kDeleteCommand, kExecCommand,  kKillCommand, kListCommand,  kPauseCommand,
      kPsCommand,     kResumeCommand, kRunCommand,   kSpecCommand, kStartCommand, kStateCommand,
  };
  return kCommands;
}

runtime::Warn Session::Warn() const {
  return [this](std::string_view message) { log.Write(LogLevel::kWarning, message); };
}

}  // namespace kiste::cli
