// SPDX-License-Identifier: Apache-2.0
#include "runtime/hooks.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "base/strings.h"
#include "sys/file.h"
#include "sys/memfd.h"
#include "sys/pidfd.h"

namespace kiste::runtime {

namespace {

constexpr int kKillMs = 10'000;      // how long SIGKILL may take
constexpr size_t kMaxOutput = 4096;  // of a failing hook, shown in the error

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct Streams {
  int input, output;
};

Result<pid_t> Spawn(const oci::Hook& hook, Streams streams, const Fd& directory) {
  std::vector<std::string> args = hook.args.empty() ? std::vector{hook.path} : hook.args;
  std::vector<std::string> env = hook.env.value_or(std::vector<std::string>{});
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, streams.input, 0);
  posix_spawn_file_actions_adddup2(&actions, streams.output, 1);
  posix_spawn_file_actions_adddup2(&actions, streams.output, 2);
  if (directory) posix_spawn_file_actions_addfchdir_np(&actions, directory.get());
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t pid = -1;
  int error = posix_spawn(&pid, hook.path.c_str(), &actions, &attributes, Pointers(args).data(),
                          hook.env ? Pointers(env).data() : environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return SystemError(error, StrCat("execve ", hook.path));
  return pid;
}

// The bundle; where it is gone, as it may be by the time of poststop hooks, none: the hook stays
// where the runtime is.
Fd WorkingDirectory(const oci::State& state) {
  auto bundle = sys::OpenAt(AT_FDCWD, state.bundle, O_PATH | O_DIRECTORY);
  return bundle ? std::move(*bundle) : Fd();
}

Status RunHook(const oci::Hook& hook, const std::string& state, const Fd& directory) {
  Fd input = TRY(sys::MemoryFile("state", state));
  Fd output = TRY(sys::MemoryFile("output", {}));
  pid_t pid = TRY(Spawn(hook, {input.get(), output.get()}, directory));
  auto pidfd = sys::PidfdOpen(pid);
  if (!pidfd) {
    kill(pid, SIGKILL);  // our child, not reaped: nobody else's pid
    static_cast<void>(sys::ReapStatus(pid));
    return Context(std::move(pidfd), hook.path);
  }
  int limit = -1;
  if (hook.timeout) {
    limit = static_cast<int>(std::min<int64_t>(int64_t{*hook.timeout} * 1000, INT_MAX));
  }
  auto ended = sys::PidfdWaitExit(pidfd->get(), limit);
  if (!ended || !*ended) sys::KillChild(pidfd->get(), pid, kKillMs);
  if (!ended) return Context(std::move(ended), hook.path);
  if (!*ended) {
    return Fail(ErrorKind::kTimeout,
                StrCat(hook.path, ": killed after its timeout of ", *hook.timeout, " s"));
  }
  int status = TRY_CONTEXT(sys::ReapStatus(pid), hook.path);
  if (status == 0) return {};
  bool killed = WIFSIGNALED(status);
  char text[kMaxOutput];
  ssize_t size = pread(output.get(), text, sizeof text, 0);
  std::string_view said = Trim({text, size > 0 ? static_cast<size_t>(size) : 0});
  return Fail(ErrorKind::kSystem,
              StrCat(hook.path, killed ? ": killed by signal " : ": exit status ",
                     killed ? WTERMSIG(status) : WEXITSTATUS(status),
                     said.empty() ? "" : StrCat(", output: ", Quote(said, kMaxOutput))));
}

}  // namespace

Status RunHooks(const std::vector<oci::Hook>& hooks, const oci::State& state,
                std::string_view kind) {
  if (hooks.empty()) return {};
  std::string text = oci::StateJson(state);
  Fd directory = WorkingDirectory(state);
  for (size_t i = 0; i < hooks.size(); ++i) {
    TRY_CONTEXT(RunHook(hooks[i], text, directory), StrCat(kind, "[", i, "]"));
  }
  return {};
}

void RunHooksTolerantly(const std::vector<oci::Hook>& hooks, const oci::State& state,
                        std::string_view kind, const std::function<void(const Error&)>& complain) {
  if (hooks.empty()) return;
  std::string text = oci::StateJson(state);
  Fd directory = WorkingDirectory(state);
  for (size_t i = 0; i < hooks.size(); ++i) {
    auto ran = RunHook(hooks[i], text, directory);
    if (!ran) complain(std::move(ran).error().With(StrCat(kind, "[", i, "]")));
  }
}

}  // namespace kiste::runtime
