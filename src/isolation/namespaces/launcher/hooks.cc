// SPDX-License-Identifier: Apache-2.0
//
// The hooks that run inside the container's namespaces: createContainer (before the root is
// switched) and startContainer (before the user's program). The state is on their standard input;
// what they write is no part of the container's output and is shown when they fail.
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/time_types.h>
#include <linux/wait.h>

#include "isolation/namespaces/launcher/launcher.h"

namespace kiste::isolation::launcher {

namespace {

constexpr char kPidMark = '\x01';  // as in isolation/plan.h, which needs a C++ library
constexpr int kSigChild = 17;
constexpr int kSigKill = 9;

// A memory file with the state, read from its start: a hook that does not read it blocks nobody.
long StateFile(const Launcher& l, const char* state) {
  Handle file(Call<__NR_memfd_create>("state", 1u /* MFD_CLOEXEC */));
  if (file.bad()) return file.error();
  StatePieces pieces;
  ExpandState(l, state, pieces);
  for (unsigned i = 0; i < pieces.count; ++i) {
    long error = WriteAll(file.get(), pieces.pieces[i].base, pieces.pieces[i].size);
    if (error < 0) return error;
  }
  long error = Call<__NR_lseek>(file.get(), 0, 0);
  return error < 0 ? error : file.Release();
}

// A memory file for what a hook writes: nobody has to read while it runs, and what it leaves
// running may go on writing. It is no way to more memory: pages are charged to the cgroup of who
// writes them, the container's, as if the hook had allocated them.
long OutputFile() { return Call<__NR_memfd_create>("output", 1u /* MFD_CLOEXEC */); }

[[noreturn]] void RunHook(const Launcher& l, const HookBlock& hook, int input, int output) {
  auto pointers = [&l](Offset list) {
    auto* slots = l.Data<__u64>(list);
    for (unsigned i = 0; slots[i] != 0; ++i) slots[i] += reinterpret_cast<__u64>(l.base);
    return slots;
  };
  Call<__NR_dup3>(input, 0, 0);
  Call<__NR_dup3>(output, 1, 0);
  Call<__NR_dup3>(output, 2, 0);
  Call<__NR_umask>(l.umask);
  Call<__NR_execve>(l.Text(hook.path), pointers(hook.argv), pointers(hook.envp));
  Exit(127);
}

// Reaps a child that has ended, or is about to: its wait status. -ETIME when that is withheld: for
// 5 s by a tracer, who is told first (as sys::ReapStatus).
long Reap(long pid) {
  constexpr int kLooks = 500;
  int status = 0;
  for (int look = 0; look < kLooks; ++look) {
    long reaped = Call<__NR_wait4>(pid, &status, WNOHANG, nullptr);
    if (reaped < 0 && reaped != -EINTR) return reaped;
    if (reaped > 0) return status;
    __kernel_timespec pause{0, 10'000'000};
    Call<__NR_ppoll>(nullptr, 0, &pause, nullptr, 0);
  }
  return -ETIME;
}

// Waits for the hook at most `timeout` seconds (0: for ever), then kills it; its wait status, or
// -ETIMEDOUT. -ETIME as above.
long WaitHook(long pid, int pidfd, int timeout) {
  pollfd poll{pidfd, POLLIN, 0};
  __kernel_timespec limit{timeout, 0};
  long ready = -EINTR;
  while (ready == -EINTR)
    ready = Call<__NR_ppoll>(&poll, 1, timeout > 0 ? &limit : nullptr, nullptr, 0);
  if (ready <= 0) Call<__NR_kill>(pid, kSigKill);
  long status = Reap(pid);
  if (ready < 0) return ready;
  return ready == 0 ? -ETIMEDOUT : status;
}

// How a hook failed, in the words of runtime/hooks.cc: with the beginning of what it wrote.
void ExplainFailure(Launcher& l, const char* path, long status, int output) {
  char code[24];
  bool exited = (status & 0x7f) == 0;
  AppendNumber(code, code + sizeof code,
               static_cast<unsigned long>(exited ? status >> 8 : status & 0x7f));
  l.Explain(path, exited ? ": exit status " : ": killed by signal ", code);
  char said[sizeof l.report.detail];
  long size = Call<__NR_pread64>(output, said, sizeof said, 0);
  if (size > 0) l.ExplainQuoted(", output: ", said, static_cast<unsigned long>(size));
}

long RunToEnd(Launcher& l, const HookBlock& hook, const char* state) {
  const char* path = l.Text(hook.path);
  l.Explain(path);
  Handle input(StateFile(l, state));
  if (input.bad()) return input.error();
  Handle output(OutputFile());
  if (output.bad()) return output.error();
  int pidfd = -1;
  clone_args arguments{};
  arguments.flags = CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<__u64>(&pidfd);
  arguments.exit_signal = kSigChild;
  long pid = Call<__NR_clone3>(&arguments, sizeof arguments);
  if (pid < 0) return pid;
  if (pid == 0) RunHook(l, hook, input.get(), output.get());
  Handle process(pidfd);
  long status = WaitHook(pid, process.get(), hook.timeout);
  if (status == -ETIME)
    l.Explain(path, ": the process has ended, but its exit code is withheld (traced?)");
  if (status == -ETIMEDOUT) l.Explain(path, ": killed after its timeout");
  if (status <= 0) return status;
  ExplainFailure(l, path, status, output.get());
  return -ECANCELED;
}

}  // namespace

void ExpandState(const Launcher& l, const char* state, StatePieces& to) {
  long length = Call<__NR_readlinkat>(l.proc, "self", to.pid, sizeof to.pid - 1);
  to.pid[length < 0 ? 0 : length] = 0;
  constexpr unsigned kMost = sizeof to.pieces / sizeof to.pieces[0];
  const char* start = state;
  for (const char* at = state;; ++at) {
    if (*at != kPidMark && *at != 0) continue;
    to.pieces[to.count++] = {start, static_cast<unsigned long>(at - start)};
    if (*at == 0 || to.count + 1 >= kMost) return;
    to.pieces[to.count++] = {to.pid, Length(to.pid)};
    start = at + 1;
  }
}

long Hooks(Launcher& l, const Operation& op) {
  if ((op.flags & kFromRoot) != 0) {
    long error = Call<__NR_fchdir>(l.root);
    if (error < 0) l.Explain("the container's root");
    if (error < 0) return error;
  }
  const auto* hooks = l.Data<HookBlock>(op.data);
  for (unsigned i = 0; i < op.data_count; ++i) {
    long error = RunToEnd(l, hooks[i], l.Text(op.text));
    if (error < 0) return error;
  }
  return 0;
}

}  // namespace kiste::isolation::launcher
