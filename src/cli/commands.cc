// SPDX-License-Identifier: Apache-2.0
#include "base/strings.h"
#include "cli/command.h"

namespace kiste::cli {

std::span<const Command> Commands() {
  static const Command kCommands[] = {
      kCompletionCommand, kCreateCommand, kDeleteCommand, kEventsCommand, kExecCommand,
      kFeaturesCommand,   kKillCommand,   kListCommand,   kPauseCommand,  kPsCommand,
      kResumeCommand,     kRunCommand,    kSpecCommand,   kStartCommand,  kStateCommand,
      kSurfaceCommand,    kUpdateCommand,
  };
  return kCommands;
}

Result<runtime::Store> Session::OpenStore() const {
  auto store = runtime::Store::OpenExisting(root);
  if (store) store->set_patience(patience);
  if (store || store.error().kind != ErrorKind::kNotFound) return store;
  return Fail(ErrorKind::kNotFound, StrCat("container ", Quote(Id()), " does not exist"));
}

Result<runtime::Store> Session::MakeStore() const {
  auto store = runtime::Store::Open(root);
  if (store) store->set_patience(patience);
  return store;
}

runtime::Warn Session::Warn() const {
  return [this](std::string_view message) { log.Write(LogLevel::kWarning, message); };
}

}  // namespace kiste::cli
