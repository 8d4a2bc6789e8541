// SPDX-License-Identifier: Apache-2.0
#include "sys/clone.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <new>

#include "sys/pidfd.h"
#include "sys/raw_syscall.h"

namespace kiste::sys {

namespace {

constexpr size_t kStackBytes = 64 << 10;
constexpr int kKillMs = 1000;

// What the child reads and writes in the parent's memory while the parent sleeps.
struct Shared {
  const SpawnRequest* request;
  long error = 0;        // -errno of the exec
  uint32_t borrows = 1;  // 0, written by the kernel, once the child has executed or ended
};

// Like vfork(2)'s wait, but with a limit: the kernel clears the word, and wakes us, when the child
// gives the memory back (set_tid_address(2)). False when the time was over.
bool WaitReturned(uint32_t& word, Deadline deadline) {
  while (__atomic_load_n(&word, __ATOMIC_ACQUIRE) != 0) {
    if (deadline.Over()) return false;
    auto left = std::min(deadline.Left(), std::chrono::milliseconds(kPatience));
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    timespec time{seconds.count(), std::chrono::nanoseconds(left - seconds).count()};
    syscall(SYS_futex, &word, FUTEX_WAIT, 1, &time, nullptr, 0);
  }
  return true;
}

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

Result<Spawned> Spawn(const SpawnRequest& request, Deadline deadline) {
  void* stack = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return ErrnoError("mmap a child's stack");
  // Below the child's stack, and as long-lived: a child that does not come to its exec has it
  // still.
  auto* shared = new (stack) Shared{.request = &request};
  int pidfd = -1;
  clone_args arguments{};
  arguments.flags =
      request.namespaces | CLONE_VM | CLONE_PIDFD | CLONE_CLEAR_SIGHAND | CLONE_CHILD_CLEARTID;
  arguments.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  arguments.child_tid = reinterpret_cast<uint64_t>(&shared->borrows);
  arguments.exit_signal = SIGCHLD;
  arguments.stack = reinterpret_cast<uint64_t>(stack);
  arguments.stack_size = kStackBytes;
  if (request.cgroup >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<uint64_t>(request.cgroup);
  }
  long pid = CloneOnStack(&arguments, ChildEntry, shared);
  if (pid < 0) {
    munmap(stack, kStackBytes);
    return SystemError(static_cast<int>(-pid), "clone3");
  }
  Spawned child{static_cast<pid_t>(pid), Fd(pidfd)};
  if (!WaitReturned(shared->borrows, deadline)) {
    // Its stack stays: it may be frozen, and die when somebody thaws it.
    KillChild(child.pidfd.get(), child.pid, kKillMs);
    return Fail(ErrorKind::kTimeout, "clone3: the child does not run (is its cgroup frozen?)");
  }
  long error = shared->error;
  munmap(stack, kStackBytes);
  if (error != 0) {
    static_cast<void>(WaitChild(child.pid));  // it has ended, or is about to
    return SystemError(static_cast<int>(-error), "execveat");
  }
  return child;
}

}  // namespace kiste::sys
