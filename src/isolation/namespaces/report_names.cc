// SPDX-License-Identifier: Apache-2.0
#include "isolation/namespaces/report_names.h"

#include <asm/unistd.h>

namespace kiste::isolation {

using launcher::Op;

const char* CallName(int number) {
  struct Row {
    int number;
    const char* name;
  };
  // Every __NR_ in launcher/*.cc; report_names_test.cc compares.
  static constexpr Row kCalls[] = {
      {__NR_accept4, "accept4"},
      {__NR_capset, "capset"},
      {__NR_chdir, "chdir"},
      {__NR_chroot, "chroot"},
      {__NR_clone3, "clone3"},
      {__NR_close, "close"},
      {__NR_close_range, "close_range"},
      {__NR_dup3, "dup3"},
      {__NR_execve, "execve"},
      {__NR_exit_group, "exit_group"},
      {__NR_faccessat2, "faccessat2"},
      {__NR_fchdir, "fchdir"},
      {__NR_fchmodat, "fchmodat"},
      {__NR_fchown, "fchown"},
      {__NR_fchownat, "fchownat"},
      {__NR_fsconfig, "fsconfig"},
      {__NR_fsmount, "fsmount"},
      {__NR_fsopen, "fsopen"},
      {__NR_fspick, "fspick"},
      {__NR_fsetxattr, "fsetxattr"},
      {__NR_fstatfs, "fstatfs"},
      {__NR_getcwd, "getcwd"},
      {__NR_getdents64, "getdents64"},
      {__NR_ioctl, "ioctl"},
      {__NR_ioprio_set, "ioprio_set"},
      {__NR_keyctl, "keyctl"},
      {__NR_kill, "kill"},
      {__NR_lseek, "lseek"},
      {__NR_memfd_create, "memfd_create"},
      {__NR_mkdirat, "mkdirat"},
      {__NR_mknodat, "mknodat"},
      {__NR_mmap, "mmap"},
      {__NR_mount, "mount"},
      {__NR_mount_setattr, "mount_setattr"},
      {__NR_move_mount, "move_mount"},
      {__NR_open_tree, "open_tree"},
      {__NR_openat, "openat"},
      {__NR_openat2, "openat2"},
      {__NR_personality, "personality"},
      {__NR_pivot_root, "pivot_root"},
      {__NR_ppoll, "ppoll"},
      {__NR_prctl, "prctl"},
      {__NR_pread64, "pread64"},
      {__NR_prlimit64, "prlimit64"},
      {__NR_read, "read"},
      {__NR_readlinkat, "readlinkat"},
      {__NR_recvfrom, "recvfrom"},
      {__NR_rt_sigaction, "rt_sigaction"},
      {__NR_sched_setaffinity, "sched_setaffinity"},
      {__NR_sched_setattr, "sched_setattr"},
      {__NR_seccomp, "seccomp"},
      {__NR_sendfile, "sendfile"},
      {__NR_sendmsg, "sendmsg"},
      {__NR_sendto, "sendto"},
      {__NR_set_mempolicy, "set_mempolicy"},
      {__NR_setdomainname, "setdomainname"},
      {__NR_setgroups, "setgroups"},
      {__NR_sethostname, "sethostname"},
      {__NR_setns, "setns"},
      {__NR_setresgid, "setresgid"},
      {__NR_setresuid, "setresuid"},
      {__NR_setsid, "setsid"},
      {__NR_socket, "socket"},
      {__NR_statx, "statx"},
      {__NR_symlinkat, "symlinkat"},
      {__NR_umask, "umask"},
      {__NR_umount2, "umount2"},
      {__NR_unlinkat, "unlinkat"},
      {__NR_unshare, "unshare"},
      {__NR_utimensat, "utimensat"},
      {__NR_wait4, "wait4"},
      {__NR_write, "write"},
  };
  for (const auto& row : kCalls) {
    if (row.number == number) return row.name;
  }
  return nullptr;
}

const char* StepName(Op op) {
  switch (op) {
    case Op::kCloseOnExec:
    case Op::kSetsid:
    case Op::kDefaultSignals:
    case Op::kCloseProc:
    case Op::kHide:
    case Op::kDropGroups:
    case Op::kDeathSignal:
    case Op::kKeyring:
    case Op::kRlimit:
    case Op::kScheduler:
    case Op::kIoPriority:
    case Op::kPersonality:
    case Op::kChdir:
    case Op::kUser:
    case Op::kBounding:
    case Op::kCapabilities:
    case Op::kUmask:
    case Op::kNoNewPrivileges:
    case Op::kStdioOwner:
    case Op::kHome:
    case Op::kProcWrite:
    case Op::kAffinity:
    case Op::kMemoryPolicy:
      return "process";
    case Op::kUnshare:
    case Op::kSetns:
    case Op::kFork:
    case Op::kBecomeRoot:
    case Op::kOpenTimeOffsets:
    case Op::kTimeOffsets:
    case Op::kLoopbackUp:
    case Op::kHostname:
    case Op::kDomainname:
      return "namespaces";
    case Op::kJoinCgroup:
      return "cgroups";
    case Op::kSeccomp:
      return "seccomp";
    case Op::kFindExecutable:
    case Op::kExec:
      return "exec";
    case Op::kPropagation:
    case Op::kRoot:
    case Op::kBind:
    case Op::kFileSystem:
    case Op::kRemount:
    case Op::kSeal:
    case Op::kMask:
    case Op::kReadonlyPath:
    case Op::kHideMount:
    case Op::kPivot:
    case Op::kChroot:
    case Op::kRootAttributes:
    case Op::kFindMount:
    case Op::kUnmount:
    case Op::kMakeDirectory:
    case Op::kMknod:
    case Op::kBindDevice:
    case Op::kSymlink:
    case Op::kOpenRoot:
      return "root";
    case Op::kConsole:
      return "terminal";
    case Op::kHooks:
      return "hooks";
    case Op::kSync:
    case Op::kConfirm:
    case Op::kEndOnSignals:
    case Op::kWaitStart:
    case Op::kFinish:
      return "start";
  }
  return nullptr;
}

}  // namespace kiste::isolation
