// SPDX-License-Identifier: Apache-2.0
#include "sys/clone.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/raw_syscall.h"

namespace kiste::sys {

namespace {

constexpr size_t kStackBytes = 64 << 10;

// What the child reads and writes in the parent's memory while the parent sleeps.
struct Shared {
  const SpawnRequest* request;
  long error = 0;  // -errno of the exec
};

// In the child: system calls only. The C library's errno belongs to the parent, so calls are made
// directly.
#if defined(__x86_64__)
// clone3; the child calls `entry(argument)` on the new stack and never returns.
long CloneOnStack(clone_args* arguments, void (*entry)(Shared*), Shared* argument) {
  long result;
  __asm__ volatile(
      "syscall\n\t"
      "testq %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xorl %%ebp, %%ebp\n\t"
      "movq %[argument], %%rdi\n\t"
      "callq *%[entry]\n\t"
      "ud2\n"
      "1:"
      : "=a"(result)
      : "a"(SYS_clone3), "D"(arguments),
        "S"(sizeof *arguments), [entry] "r"(entry), [argument] "r"(argument)
      : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
long CloneOnStack(clone_args* arguments, void (*entry)(Shared*), Shared* argument) {
  register long x8 __asm__("x8") = SYS_clone3;
  register long x0 __asm__("x0") = reinterpret_cast<long>(arguments);
  register long x1 __asm__("x1") = sizeof *arguments;
  __asm__ volatile(
      "svc 0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, #0\n\t"
      "mov x0, %[argument]\n\t"
      "blr %[entry]\n\t"
      "brk #0\n"
      "1:"
      : "+r"(x0)
      : "r"(x8), "r"(x1), [entry] "r"(entry), [argument] "r"(argument)
      : "memory");
  return x0;
}
#else
#error "kiste knows x86_64 and aarch64"
#endif

void ChildEntry(Shared* shared) {
  const SpawnRequest& request = *shared->request;
  uint64_t no_signals = 0;
  Call<SYS_rt_sigprocmask>(SIG_SETMASK, &no_signals, nullptr, sizeof no_signals);
  for (int fd : request.inherit) Call<SYS_fcntl>(fd, F_SETFD, 0);
  shared->error =
      Call<SYS_execveat>(request.executable, "", request.argv, request.envp, AT_EMPTY_PATH);
  while (true) Call<SYS_exit_group>(127);
}

}  // namespace

Result<Spawned> Spawn(const SpawnRequest& request) {
  void* stack = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return ErrnoError("mmap a child's stack");
  Shared shared{&request};
  int pidfd = -1;
  clone_args arguments{};
  arguments.flags = request.namespaces | CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
  arguments.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  arguments.stack = reinterpret_cast<uint64_t>(stack);
  arguments.stack_size = kStackBytes;
  if (request.cgroup >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<uint64_t>(request.cgroup);
  }
  long pid = CloneOnStack(&arguments, ChildEntry, &shared);
  munmap(stack, kStackBytes);
  if (pid < 0) return SystemError(static_cast<int>(-pid), "clone3");
  Spawned child{static_cast<pid_t>(pid), Fd(pidfd)};
  if (shared.error != 0) {
    waitpid(child.pid, nullptr, 0);
    return SystemError(static_cast<int>(-shared.error), "execveat");
  }
  return child;
}

}  // namespace kiste::sys
