// SPDX-License-Identifier: Apache-2.0
//
// The launcher: carries out a program of operations (operations.h) between clone and exec.
// argv[1] is the descriptor of the program's memory file, in decimal.
#include <linux/close_range.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/prctl.h>

#include "isolation/namespaces/launcher/launcher.h"

namespace kiste::isolation::launcher {

namespace {

// Nobody in the container's pid namespace may look into this process or its descriptors
// (CVE-2016-9962); execve of the payload lifts it. Not before an ordinary user's runtime has
// written the id maps: /proc/<pid> would be root's.
long Hide(Launcher& l, bool hidden) {
  l.hidden = hidden;
  return Call<__NR_prctl>(PR_SET_DUMPABLE, hidden ? 0 : 1, 0, 0, 0);
}

// Other ids make a process what fs.suid_dumpable says, which may be dumpable (proc(5)).
long StayHidden(Launcher& l, long outcome) {
  return outcome < 0 || !l.hidden ? outcome : Hide(l, true);
}

long Perform(Launcher& l, const Operation& op) {
  switch (op.op) {
    case Op::kCloseOnExec:
      return Call<__NR_close_range>(op.a, ~0u, CLOSE_RANGE_CLOEXEC);
    case Op::kSetsid: {
      long session = Call<__NR_setsid>();
      return session == -EPERM || session > 0 ? 0 : session;  // EPERM: a leader already
    }
    case Op::kDefaultSignals:
      return DefaultSignals(op);
    case Op::kEndOnSignals:
      return EndOnSignals();
    case Op::kCloseProc:
      Call<__NR_close>(l.proc);
      l.proc = -1;
      return 0;
    case Op::kJoinCgroup:
      return JoinCgroup(op);
    case Op::kUnshare:
      return Call<__NR_unshare>(op.a);
    case Op::kDropGroups: {
      long error = Call<__NR_setgroups>(0, nullptr);
      return error == -EPERM ? 0 : error;  // denied in the runtime's own user namespace
    }
    case Op::kSetns:
      l.Explain(l.Text(op.text));
      return StayHidden(l, Call<__NR_setns>(op.fd, op.a));
    case Op::kFork:
      return Fork(l, op);
    case Op::kBecomeRoot:
      return StayHidden(l, BecomeRoot());
    case Op::kHide:
      return Hide(l, op.a == 0);
    case Op::kOpenTimeOffsets:
      return OpenTimeOffsets(l);
    case Op::kTimeOffsets:
      return TimeOffsets(l, op);
    case Op::kDeathSignal:
      return Call<__NR_prctl>(PR_SET_PDEATHSIG, op.a, 0, 0, 0);
    case Op::kLoopbackUp:
      return LoopbackUp();
    case Op::kHostname:
      return Call<__NR_sethostname>(l.Text(op.text), Length(l.Text(op.text)));
    case Op::kDomainname:
      return Call<__NR_setdomainname>(l.Text(op.text), Length(l.Text(op.text)));
    case Op::kProcWrite:
      return ProcWrite(l, op);
    case Op::kKeyring:
      return Keyring(l, op);
    case Op::kRlimit: {
      __u64 limits[2] = {op.b, op.c};
      return Call<__NR_prlimit64>(0, op.a, limits, nullptr);
    }
    case Op::kScheduler:
      return Call<__NR_sched_setattr>(0, l.Data<char>(op.data), 0);
    case Op::kIoPriority:
      return Call<__NR_ioprio_set>(1 /* IOPRIO_WHO_PROCESS */, 0, op.a);
    case Op::kPersonality: {
      long previous = Call<__NR_personality>(op.a);
      return previous < 0 ? previous : 0;
    }
    case Op::kAffinity: {
      long error =
          Call<__NR_sched_setaffinity>(0, op.data_count * sizeof(__u64), l.Data<__u64>(op.data));
      return error < 0 ? error : 0;
    }
    case Op::kMemoryPolicy: {
      // The kernel counts one bit more than it reads.
      const auto* nodes = op.data_count == 0 ? nullptr : l.Data<__u64>(op.data);
      return Call<__NR_set_mempolicy>(op.a, nodes, op.data_count == 0 ? 0 : op.data_count * 64 + 1);
    }
    case Op::kChdir:
      return Chdir(l, op);
    case Op::kUser:
      return StayHidden(l, SwitchUser(l, op));
    case Op::kBounding:
      return DropBounding(op);
    case Op::kCapabilities:
      return StayHidden(l, SetCapabilities(l, op));
    case Op::kUmask:
      l.umask = static_cast<long>(op.a);
      Call<__NR_umask>(l.umask);
      return 0;
    case Op::kNoNewPrivileges:
      return Call<__NR_prctl>(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    case Op::kSeccomp:
      return Seccomp(l, op);
    case Op::kStdioOwner:
      return StdioOwner(op);
    case Op::kHome:
      return Home(l, op);
    case Op::kFindExecutable:
      return FindExecutable(l, op);
    case Op::kExec:
      return Execute(l, op);
    case Op::kPropagation:
      return Propagation(l, op);
    case Op::kRoot:
      return Root(l, op);
    case Op::kBind:
      return Bind(l, op);
    case Op::kFileSystem:
      return FileSystem(l, op);
    case Op::kRemount:
      return Remount(l, op);
    case Op::kSeal:
      return Seal(l);
    case Op::kMask:
      return Mask(l, op);
    case Op::kReadonlyPath:
      return ReadonlyPath(l, op);
    case Op::kHideMount:
      return HideMount(l, op);
    case Op::kPivot:
      return Pivot(l, op);
    case Op::kChroot:
      return Chroot(l, op);
    case Op::kRootAttributes:
      return RootAttributes(l, op);
    case Op::kFindMount:
      return FindMount(l, op);
    case Op::kUnmount:
      return Unmount(l);
    case Op::kFinish:
      Finish(l);
    case Op::kMakeDirectory: {
      Handle made(OpenInRoot(l, l.Text(op.text), Create::kDirectory));
      return 0;
    }
    case Op::kMknod:
      return Mknod(l, op);
    case Op::kBindDevice:
      return BindDevice(l, op);
    case Op::kSymlink:
      return MakeSymlink(l, op);
    case Op::kConsole:
      return Console(l, op);
    case Op::kHooks:
      return Hooks(l, op);
    case Op::kSync:
      return Sync(l);
    case Op::kConfirm:
      return Confirm(l);
    case Op::kWaitStart:
      return WaitStart(l, op);
    case Op::kOpenRoot: {
      long root = Call<__NR_openat>(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
      l.root = static_cast<int>(root);
      return root < 0 ? root : 0;
    }
  }
  return -ENOSYS;
}

// Maps the program privately: slots in it are filled in on the way.
bool Load(Launcher& l, int fd) {
  Program header{};
  long size = -EINTR;
  while (size == -EINTR) size = Call<__NR_pread64>(fd, &header, sizeof header, 0);
  if (size != static_cast<long>(sizeof header)) return false;
  if (header.magic != kMagic) return false;
  long base = Call<__NR_mmap>(nullptr, header.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  Call<__NR_close>(fd);
  if (base < 0 && base > -4096) return false;
  l.base = reinterpret_cast<char*>(base);
  l.program = l.Data<Program>(0);
  l.channel = header.channel;
  l.proc = header.proc;
  return true;
}

[[noreturn]] void Run(int program_fd) {
  static Launcher l;
  Call<__NR_prctl>(PR_SET_NAME, "kiste-init", 0, 0, 0);
  if (!Load(l, program_fd)) Exit(125);
  l.umask = Call<__NR_umask>(0);
  const auto* operations = l.Data<Operation>(l.program->operations);
  for (__u32 i = 0; i < l.program->operation_count; ++i) {
    l.report.index = i;
    l.report.op = operations[i].op;
    l.report.detail[0] = 0;
    if (operations[i].op != Op::kMknod && operations[i].op != Op::kSymlink) ForgetParent(l);
    long error = Perform(l, operations[i]);
    if (error < 0) {
      LastFailure failure = last_failure;
      if (l.undo_mounts) Unmount(l);
      last_failure = failure;
      SendReport(l, ReportKind::kFailed, error);
      Exit(1);
    }
  }
  Exit(0);
}

}  // namespace

// Called by _start alone.
extern "C" [[noreturn]] void LauncherMain(const long* stack);

extern "C" [[noreturn]] void LauncherMain(const long* stack) {
  auto* const* arguments = reinterpret_cast<char* const*>(stack + 1);
  unsigned long program_fd = 0;
  const char* text = stack[0] > 1 ? arguments[1] : "";
  if (!ParseNumber(text, program_fd)) Exit(125);
  Run(static_cast<int>(program_fd));
}

}  // namespace kiste::isolation::launcher

// The kernel enters with the arguments' count and pointers on the stack (execve(2); the System V
// ABI's process initialisation).
#if defined(__x86_64__)
__asm__(
    ".globl _start\n_start:\n"
    "  xorl %ebp, %ebp\n  movq %rsp, %rdi\n  andq $-16, %rsp\n  call LauncherMain\n  ud2\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n  mov x29, #0\n  mov x0, sp\n  bl LauncherMain\n  brk #0\n");
#endif
