// SPDX-License-Identifier: Apache-2.0
//
// The process itself: forks into namespaces, cgroups, limits, its files in /proc.
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/sockios.h>
#include <linux/stat.h>

#include "isolation/namespaces/launcher/launcher.h"

namespace kiste::isolation::launcher {

namespace {

constexpr int kAfInet = 2;
constexpr int kSockDatagram = 2;
constexpr short kInterfaceUp = 1;  // IFF_UP

struct InterfaceRequest {  // struct ifreq with its flags (netdevice(7))
  char name[16];
  short flags;
  char unused[22];
};

void SetAction(int signal, const struct sigaction& action) {
  Call<__NR_rt_sigaction>(signal, &action, nullptr, sizeof action.sa_mask);
}

}  // namespace

// Ignored signals would stay ignored through execve; the container's program starts as from a shell
// that ignores none. The others are at their defaults: execve of the launcher has seen to that.
long DefaultSignals(const Operation& op) {
  constexpr int kSignals = 64;
  for (int signal = 1; signal <= kSignals; ++signal) {
    // SIGKILL and SIGSTOP refuse.
    if ((op.a >> (signal - 1) & 1) != 0) SetAction(signal, {});
  }
  return 0;
}

// To the first process of a PID namespace only a signal that it has a handler for is delivered
// (pid_namespaces(7)): without one nobody could end a container that waits for `start` but with
// SIGKILL. execve takes the handlers away.
long EndOnSignals() {
  struct sigaction action{};
  action.sa_handler = [](int signal) { Exit(128 + signal); };
  action.sa_flags = SA_RESTORER;         // x86-64 demands one,
  action.sa_restorer = [] { Exit(1); };  // though the handler does not return
  constexpr int kSignals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
  for (int signal : kSignals) SetAction(signal, action);
  return 0;
}

// One write: the task that writes joins by itself, without the wait for an RCU grace period that
// moving another process by its pid costs (cgroups(7); measured in docs/decisions/0002).
long JoinCgroup(const Operation& op) {
  long written = -EINTR;
  while (written == -EINTR) written = Call<__NR_write>(op.fd, "0", 1);
  Call<__NR_close>(op.fd);  // the process may wait for `start`: without a way to the host's cgroups
  return written < 0 ? written : 0;
}

// The child becomes a sibling (CLONE_PARENT): the runtime is the parent of every launcher, and the
// last one's exit is the container's.
long Fork(Launcher& l, const Operation& op) {
  clone_args arguments{};
  arguments.flags = op.a | CLONE_PARENT;
  long pid = Call<__NR_clone3>(&arguments, sizeof arguments);
  if (pid == 0) ++l.report.generation;
  if (pid <= 0) return pid;
  l.report.pid = static_cast<__s32>(pid);
  SendReport(l, ReportKind::kChild, 0);
  Exit(0);
}

// Where id 0 is not mapped the process stays who it is, with all capabilities in the namespace.
long BecomeRoot() {
  long error = Call<__NR_setresgid>(0, 0, 0);
  if (error < 0 && error != -EINVAL) return error;
  error = Call<__NR_setresuid>(0, 0, 0);
  return error == -EINVAL ? 0 : error;
}

long OpenTimeOffsets(Launcher& l) {
  long file = Call<__NR_openat>(l.proc, "self/timens_offsets", O_WRONLY | O_CLOEXEC);
  l.time_offsets = static_cast<int>(file);
  return file < 0 ? file : 0;
}

long TimeOffsets(Launcher& l, const Operation& op) {
  long error = Call<__NR_unshare>(CLONE_NEWTIME);
  if (error < 0 || op.text == 0) return error;
  if (l.time_offsets < 0) error = OpenTimeOffsets(l);
  if (error < 0) return error;
  Handle file(l.time_offsets);
  const char* lines = l.Text(op.text);
  return WriteAll(file.get(), lines, Length(lines));
}

long LoopbackUp() {
  Handle socket(Call<__NR_socket>(kAfInet, kSockDatagram | O_CLOEXEC, 0));
  if (socket.bad()) return socket.error();
  InterfaceRequest request{};
  Copy(request.name, "lo", 3);
  long error = Call<__NR_ioctl>(socket.get(), SIOCGIFFLAGS, &request);
  if (error < 0) return error;
  request.flags = static_cast<short>(request.flags | kInterfaceUp);
  return Call<__NR_ioctl>(socket.get(), SIOCSIFFLAGS, &request);
}

// Through the descriptor of the host's /proc: whatever the container has put over its own is
// not looked at (CVE-2025-52881).
long ProcWrite(Launcher& l, const Operation& op) {
  const char* path = l.Text(op.text);
  l.Explain(path);
  Handle file(Call<__NR_openat>(l.proc, path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  if (file.error() == -ENOENT && (op.flags & kMayBeMissing) != 0) return 0;
  if (file.bad()) return file.error();
  const char* value = l.Text(op.text2);
  return WriteAll(file.get(), value, Length(value));
}

long Keyring(Launcher& l, const Operation& op) {
  long ring = Call<__NR_keyctl>(KEYCTL_JOIN_SESSION_KEYRING, l.Text(op.text));
  if (ring == -ENOSYS) return 0;  // a kernel without keyrings has none to share
  return ring < 0 ? ring : 0;
}

long Chdir(Launcher& l, const Operation& op) {
  if ((op.flags & kIfRefused) != 0 && !l.chdir_refused) return 0;
  const char* path = l.Text(op.text);
  l.Explain(path);
  long error = Call<__NR_chdir>(path);
  l.chdir_refused = error == -EACCES || error == -EPERM;
  if (l.chdir_refused && (op.flags & kTolerateAccess) != 0) return 0;
  if (error < 0) return error;
  // The kernel says "(unreachable)" for a directory outside the root: one reached through a leaked
  // descriptor (CVE-2024-21626).
  static char resolved[kPathMax];
  long length = Call<__NR_getcwd>(resolved, sizeof resolved);
  if (length < 0) return length;
  if (resolved[0] == '/') return 0;
  l.Explain("the directory is outside the container's root: ", path);
  return -EXDEV;
}

long StdioOwner(const Operation& op) {
  for (int fd = 0; fd < 3; ++fd) {
    FileKind kind;
    if (Examine(fd, kind) < 0 || kind.uid == op.a) continue;
    bool device = (kind.mode & S_IFMT) == S_IFCHR;
    if (device && kind.device_major == 1) continue;  // /dev/null and its like are everybody's
    Call<__NR_fchown>(fd, op.a, -1);  // in vain for some files, as for runc: no reason to fail
  }
  return 0;
}

}  // namespace kiste::isolation::launcher
