// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/strings.h"
#include "cli/command.h"

namespace kiste::cli {

std::span<const Command> Commands() {
  static const Command kCommands[] = {
      kCheckpointCommand, kCompletionCommand, kCreateCommand,  kDeleteCommand,  kEventsCommand,
      kExecCommand,       kFeaturesCommand,   kKillCommand,    kListCommand,    kMountsCommand,
      kPauseCommand,      kPsCommand,         kRestoreCommand, kResumeCommand,  kRunCommand,
      kSpecCommand,       kStartCommand,      kStateCommand,   kSurfaceCommand, kUpdateCommand,
  };
  return kCommands;
}

std::vector<std::string> ArgumentNames(std::string_view arguments) {
  std::vector<std::string> names;
  while (!arguments.empty()) {
    bool bracket = arguments[0] == '<' || arguments[0] == '[';
    size_t end = bracket ? arguments.find(arguments[0] == '<' ? '>' : ']') : arguments.find(' ');
    end = std::min(end, arguments.size());
    names.emplace_back(arguments.substr(bracket ? 1 : 0, end - (bracket ? 1 : 0)));
    arguments.remove_prefix(std::min(end + (bracket ? 2 : 1), arguments.size()));
  }
  return names;
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
