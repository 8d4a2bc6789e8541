// SPDX-License-Identifier: Apache-2.0
//
// For tests only: a child process that installs a compiled program and makes system calls under
// it, so that the kernel says what the program does.
#pragma once

#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "sys/seccomp/seccomp.h"

namespace kiste::sys {

// A system call's result as the kernel gives it: negative errno values.
template <typename... Args>
long Call(long number, Args... args) {
  long result = syscall(number, args...);
  return result == -1 ? -errno : result;
}

// What seccomp(2) returns: 0, a listener, or a negative errno value. No core dumps from here on.
inline long Install(const SeccompProgram& program) {
  rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  sock_fprog fprog{static_cast<unsigned short>(program.filter.size()),
                   const_cast<sock_filter*>(program.filter.data())};
  return Call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, program.flags, &fprog);
}

struct Outcome {
  long installed = 0;            // Install()'s
  int status = 0;                // waitpid(2)'s
  std::array<long, 64> value{};  // what the child wrote
  bool exited() const { return installed >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0; }
  int signal() const { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }
};

// Runs `body(values, listener)` in a child under `program`; the program must let exit_group(2)
// pass for exited() to become true.
template <typename F>
Outcome Under(const SeccompProgram& program, F body) {
  void* memory =
      mmap(nullptr, sizeof(Outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) abort();
  auto* shared = new (memory) Outcome;
  pid_t child = fork();
  if (child == 0) {
    shared->installed = Install(program);
    if (shared->installed >= 0) body(shared->value.data(), static_cast<int>(shared->installed));
    syscall(SYS_exit_group, 0);
    __builtin_trap();  // the program does not even let exit_group pass
  }
  Outcome outcome;
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) abort();
  outcome = *shared;
  outcome.status = status;
  munmap(memory, sizeof(Outcome));
  return outcome;
}

// One call under `program`: its result, or minus 1000 minus the signal that ended the child.
template <typename... Args>
long CallUnder(const SeccompProgram& program, long number, Args... args) {
  auto outcome = Under(program, [&](long* value, int) { value[0] = Call(number, args...); });
  return outcome.signal() != 0 ? -1000 - outcome.signal() : outcome.value[0];
}

}  // namespace kiste::sys
