// SPDX-License-Identifier: Apache-2.0
#include "bench/process/spawn.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/strings.h"
#include "sys/file.h"

namespace kiste::bench {

namespace {

// Everything that the child needs, made before it exists.
struct Plan {
  const char* program;
  std::vector<char*> argv, envp;
  const Start* start;
  int input, output, errors;
};

// What the child could not do; shared memory, as vfork's child has ours.
struct Failure {
  const char* call = nullptr;
  int errno_value = 0;
};

[[noreturn]] void Die(Failure& failure, const char* call) {
  failure.errno_value = errno;
  failure.call = call;
  _exit(127);
}

[[noreturn]] void Child(const Plan& plan, Failure& failure) {
  sigset_t none;
  sigemptyset(&none);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
    struct sigaction by_default = {};
    by_default.sa_handler = SIG_DFL;
    sigaction(signal, &by_default, nullptr);
  }
  sigprocmask(SIG_SETMASK, &none, nullptr);
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (dup2(plan.input, 0) < 0 || dup2(plan.output, 1) < 0 || dup2(plan.errors, 2) < 0)
    Die(failure, "dup2");
  for (int tasks : plan.start->tasks) {
    if (write(tasks, "0", 1) != 1) Die(failure, "write tasks");
  }
  if (plan.start->network >= 0 && setns(plan.start->network, CLONE_NEWNET) != 0)
    Die(failure, "setns network");
  if (!plan.start->folder.empty() && chdir(plan.start->folder.c_str()) != 0) Die(failure, "chdir");
  execve(plan.program, plan.argv.data(), plan.envp.data());
  Die(failure, "execve");
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Our own environment with what `start` says instead or beside.
std::vector<std::string> Environment(const Start& start) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string_view text(*entry);
    if (!start.environment.contains(std::string(text.substr(0, text.find('=')))))
      environment.emplace_back(text);
  }
  for (const auto& [name, value] : start.environment)
    environment.push_back(StrCat(name, "=", value));
  return environment;
}

}  // namespace

Result<pid_t> Spawn(const std::string& program, const Start& start, int output, int errors) {
  auto null = TRY(sys::Open("/dev/null", O_RDWR | O_CLOEXEC));
  auto words = start.words;
  auto environment = Environment(start);
  Plan plan = {.program = program.c_str(),
               .argv = Pointers(words),
               .envp = Pointers(environment),
               .start = &start,
               .input = null.get(),
               .output = output >= 0 ? output : null.get(),
               .errors = errors};
  Failure failure;
  // Interruptions wait until the child has its own handlers back.
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  // NOLINTBEGIN(*-unsafe-functions,clang-analyzer-*): a big process is not copied, and Child only
  // makes system calls.
  pid_t pid = vfork();
  if (pid == 0) Child(plan, failure);
  // NOLINTEND(*-unsafe-functions,clang-analyzer-*)
  int fork_errno = errno;
  sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return SystemError(fork_errno, "vfork");
  if (failure.call == nullptr) return pid;
  waitpid(pid, nullptr, 0);
  return SystemError(failure.errno_value, StrCat(failure.call, " ", program));
}

}  // namespace kiste::bench
