// SPDX-License-Identifier: Apache-2.0
#include "sys/command.h"

#include <spawn.h>
#include <unistd.h>

#include "base/strings.h"
#include "sys/file.h"
#include "sys/memfd.h"
#include "sys/pidfd.h"

namespace kiste::sys {

namespace {

constexpr int kKillMs = 1000;
constexpr size_t kMostOutput = 64 << 20;

Result<pid_t> Spawn(std::vector<std::string>& words, int output) {
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  pid_t child = -1;
  int error = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return SystemError(error, StrCat("execve ", words[0]));
  return child;
}

}  // namespace

Result<CommandResult> RunCommand(std::vector<std::string> words,
                                 std::chrono::milliseconds patience) {
  Fd output = TRY(MemoryFile("output", {}));
  pid_t child = TRY(Spawn(words, output.get()));
  Fd pidfd = TRY(PidfdOpen(child));
  if (!TRY(PidfdWaitExit(pidfd.get(), static_cast<int>(patience.count())))) {
    KillChild(pidfd.get(), child, kKillMs);
    return Fail(ErrorKind::kTimeout, StrCat(words[0], " does not end"));
  }
  CommandResult result{};
  result.code = TRY_CONTEXT(Reap(child), words[0]);
  if (lseek(output.get(), 0, SEEK_SET) < 0) return ErrnoError("lseek output");
  result.output = TRY(ReadAll(output.get(), StrCat("output of ", words[0]), kMostOutput));
  return result;
}

}  // namespace kiste::sys
