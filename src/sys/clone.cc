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
#include <cstddef>
#include <new>

#include "sys/pidfd.h"
#include "sys/raw_syscall.h"

namespace kiste::sys {

namespace {

constexpr size_t kStackBytes = 64 << 10;
constexpr int kKillMs = 1000;

// What the child, and its helper, read and write in the parent's memory while the parent sleeps.
struct Shared {
  const SpawnRequest* request;
  clone_args child{};
  long error = 0;        // -errno of the exec
  long cloned = 0;       // what the helper's clone3 gave
  pid_t pid = 0;         // of the helper's child
  uint32_t borrows = 1;  // 0, written by the kernel, once the child has executed or ended
  uint32_t helping = 1;  // the same for the helper
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

// As vfork(2): asleep until the child has executed or ended. The child is the parent's, not its
// own.
void HelperEntry(Shared* shared) {
  shared->cloned = CloneOnStack(&shared->child, ChildEntry, shared);
  while (true) Call<SYS_exit_group>(0);
}

Result<void*> MapStacks() {
  void* stacks = mmap(nullptr, 2 * kStackBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stacks == MAP_FAILED) return ErrnoError("mmap a child's stack");
  return stacks;
}

void SetChild(const SpawnRequest& request, void* stack, int& pidfd, Shared& shared) {
  auto& child = shared.child;
  child.flags = request.namespaces | CLONE_VM | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
  child.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  child.stack = reinterpret_cast<uint64_t>(stack);
  child.stack_size = kStackBytes;
  if (request.cgroup >= 0) {
    child.flags |= CLONE_INTO_CGROUP;
    child.cgroup = static_cast<uint64_t>(request.cgroup);
  }
}

Error Unfinished() {
  return {ErrorKind::kTimeout, 0, {}, "clone3: the child does not run (is its cgroup frozen?)"};
}

// The child, which has executed its program; its pidfd is in `pidfd`. The stacks must stay when it
// comes to nothing: it may be frozen, and die when somebody thaws it.
Result<pid_t> SpawnDirectly(Shared& shared, const int& pidfd, Deadline deadline) {
  shared.child.flags |= CLONE_CHILD_CLEARTID;
  shared.child.child_tid = reinterpret_cast<uint64_t>(&shared.borrows);
  shared.child.exit_signal = SIGCHLD;
  long pid = CloneOnStack(&shared.child, ChildEntry, &shared);
  if (pid < 0) return SystemError(static_cast<int>(-pid), "clone3");
  if (WaitReturned(shared.borrows, deadline)) return static_cast<pid_t>(pid);
  KillChild(pidfd, static_cast<pid_t>(pid), kKillMs);
  return std::unexpected(Unfinished());
}

Result<pid_t> SpawnWithHelper(Shared& shared, void* stack, const int& pidfd, Deadline deadline) {
  shared.child.flags |= CLONE_VFORK | CLONE_PARENT | CLONE_PARENT_SETTID;
  shared.child.parent_tid = reinterpret_cast<uint64_t>(&shared.pid);
  int helper_pidfd = -1;
  clone_args helper{};
  helper.flags = CLONE_VM | CLONE_FILES | CLONE_CHILD_CLEARTID | CLONE_PIDFD;
  helper.pidfd = reinterpret_cast<uint64_t>(&helper_pidfd);
  helper.child_tid = reinterpret_cast<uint64_t>(&shared.helping);
  helper.exit_signal = SIGCHLD;  // and so the child's
  helper.stack = reinterpret_cast<uint64_t>(stack);
  helper.stack_size = kStackBytes;
  long pid = CloneOnStack(&helper, HelperEntry, &shared);
  if (pid < 0) return SystemError(static_cast<int>(-pid), "clone3 a helper");
  Fd ending(helper_pidfd);
  bool done = WaitReturned(shared.helping, deadline);
  pid_t child = __atomic_load_n(&shared.pid, __ATOMIC_ACQUIRE);
  if (!done && child > 0) KillChild(pidfd, child, kKillMs);  // which lets the helper go, too
  // It has nothing left to do but end. Not so where it waits on for a child that does not die.
  if (done) static_cast<void>(PidfdWaitExit(ending.get(), kKillMs));
  static_cast<void>(TryWaitChild(static_cast<pid_t>(pid)));
  if (!done) return std::unexpected(Unfinished());
  if (shared.cloned < 0) return SystemError(static_cast<int>(-shared.cloned), "clone3");
  return child;
}

}  // namespace

Result<Spawned> Spawn(const SpawnRequest& request, Deadline deadline) {
  auto* stacks = static_cast<std::byte*>(TRY(MapStacks()));
  // Below the child's stack, and as long-lived: a child that does not come to its exec has it
  // still.
  auto* shared = new (stacks) Shared{.request = &request};
  int pidfd = -1;
  SetChild(request, stacks, pidfd, *shared);
  auto pid = request.limited_memory
                 ? SpawnWithHelper(*shared, stacks + kStackBytes, pidfd, deadline)
                 : SpawnDirectly(*shared, pidfd, deadline);
  Fd owned(pidfd);
  long error = shared->error;
  if (pid || pid.error().kind != ErrorKind::kTimeout) munmap(stacks, 2 * kStackBytes);
  if (!pid) return std::unexpected(std::move(pid).error());
  if (error != 0) {
    KillChild(owned.get(), *pid, kKillMs);  // it has ended, or is about to
    return SystemError(static_cast<int>(-error), "execveat");
  }
  return Spawned{*pid, std::move(owned)};
}

}  // namespace kiste::sys
