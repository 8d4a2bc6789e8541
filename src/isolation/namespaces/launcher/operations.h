// SPDX-License-Identifier: Apache-2.0
//
// The launcher's program: a flat list of operations in one block of memory, written by the runtime
// (namespaces/compile.cc) and carried out in order by the launcher, a static program without a C
// library that runs between clone and exec. Shared by both, so: plain data only.
//
// The dialogue, over a SOCK_SEQPACKET pair (R runtime, L launcher):
//
//     R                                  L
//     │  clone3, exec of the launcher →  │ operations in order …
//     │                                  │
//     │ ← Report{kChild, pid}            │ at Op::kFork: L exits, its sibling L' goes on
//     │ ← Report{kSync, index}           │ at Op::kSync: id maps, cgroup, host-side hooks, rlimits
//     │   one byte →                     │
//     │   kHeldByte →                    │ unasked, once the last child is written down; read at
//     │                                  │ Op::kConfirm: nothing runs that nobody would find
//     │ ← Report{kReady}                 │ at Op::kFinish: L exits; or at Op::kWaitStart: `create`
//     may return; L now waits on │                                  │ the start listener and
//     reports to who connected there │ ← Report{kExec}                  │ before the filter and
//     execve; then end of file = success │ ← Report{kFailed, index, errno}  │ at any point; L exits
#pragma once

#include <linux/types.h>

namespace kiste::isolation::launcher {

// Texts and arrays are offsets from the start of the program; 0 means "none".
using Offset = __u32;

// What each operation does, its fields, and the file that does it. Unnamed fields are 0.
enum class Op : __u32 {
  // process.cc
  kCloseOnExec,     // a: first descriptor; all from there on are closed by a later exec
  kSetsid,          //
  kDefaultSignals,  // a: bit n-1: signal n's disposition is reset
  kEndOnSignals,    // SIGTERM and the like, until kExec
  kCloseProc,       // the host's /proc is needed no more
  kJoinCgroup,      // fd: a v1 `tasks` file
  kUnshare,         // a: CLONE_NEW*
  kDropGroups,      // the supplementary groups that came with the runtime, where that is allowed
  kSetns,           // fd, a: CLONE_NEW*
  kFork,            // a: CLONE_NEW*; the child goes on as a sibling
  kBecomeRoot,      // user and group 0 of the user namespace just entered
  kHide,  // not dumpable: /proc/<pid> is closed to all but the host's root; a: 1: is again
  kOpenTimeOffsets,  // for a kTimeOffsets after kHide, which closes the process's own /proc to it
  kTimeOffsets,      // text: unshares the time namespace and sets its clocks
  kDeathSignal,      // a: signal, 0 none
  kLoopbackUp,       //
  kHostname,         // text
  kDomainname,       // text
  kProcWrite,        // text: path below /proc, text2: value, flags: kMayBeMissing
  kKeyring,          // text: name
  kRlimit,           // a: resource, b: soft, c: hard
  kScheduler,        // data: struct sched_attr
  kIoPriority,       // a: ioprio value
  kPersonality,      // a
  kAffinity,         // data: u64[data_count], a mask of cpus
  kMemoryPolicy,     // a: MPOL_*, data: u64[data_count], a mask of nodes
  kChdir,            // text; flags: kTolerateAccess, kIfRefused
  kUser,             // a: uid, b: gid, data: gids (count: data_count), flags: kSetGroups
  kBounding,         // a: capabilities that stay
  kCapabilities,     // data: u64 effective, permitted, inheritable, ambient
  kUmask,            // a
  kNoNewPrivileges,
  kSeccomp,     // data: sock_filter[data_count], a: flags, fd: agent's socket or -1, text: state
  kStdioOwner,  // a: uid
  kHome,        // a: uid, data: text of b bytes that gets HOME=<from etc/passwd, or />
  kFindExecutable,  // data: offsets of candidates (data_count)
  kExec,            // data: argv offsets, data2: envp offsets, both 0-terminated
  // mounts.cc
  kPropagation,     // a: MS_* for "/"
  kRoot,            // text: path on the host, fd: its tree or -1; flags: kRecursive: as a mount;
                    // a: 1: the parent mount becomes private
  kBind,            // MountBlock at data, flags; fd: source tree or -1
  kFileSystem,      // MountBlock at data, text: SELinux label for its root or none
  kRemount,         // MountBlock at data
  kSeal,            // the mounts with kSealLater become read-only
  kMask,            // data: offsets (data_count), text: SELinux label of what covers or none
  kReadonlyPath,    // text
  kHideMount,       // text: path on the host; unmounted, or covered where that is refused
  kPivot,           // flags: kNoPivot; a: 1: the old root's mounts are shared with the host
  kChroot,          // fd: directory, or -1 for the root made by kRoot
  kRootAttributes,  // a: MOUNT_ATTR_* to set, b: propagation or 0
  // change.cc
  kFindMount,  // text: destination of a mount that is to go; no links on the way
  kUnmount,    // all that were found, from the last to the first
  kFinish,     // the change is done: kReady, and the end
  // devices.cc
  kMakeDirectory,  // text: path, made where it is missing; a failure is left to who needs it
  kMknod,          // text: path, a: mode, b: dev_t of the kernel, data: u32 uid, gid, text2: words
                   // for what must be there if anything is, or none
  kBindDevice,     // text: path, the same on the host; a, b, text2 as above
  kSymlink,        // text: target, text2: path
  // console.cc
  kConsole,  // fd: socket for the master, a: rows, b: columns, c: uid; flags: kBindConsole
  // hooks.cc
  kHooks,  // data: HookBlock[data_count], text: state; flags: kFromRoot
  // dialogue.cc
  kOpenRoot,   // takes "/" for the root (exec into a container)
  kSync,       //
  kConfirm,    // until the runtime has said that it holds this process
  kWaitStart,  // fd: listening socket
};

enum Flag : __u32 {
  kMayBeMissing = 1,    // a file that is not there is no error
  kTolerateAccess = 2,  // EACCES and EPERM are no error: tried again as the user
  kSetGroups = 4,
  kNoSymlinks = 8,  // no symbolic link in the destination
  kOverProcAllowed = 16,
  kNoPivot = 32,
  kBindConsole = 64,  // put the terminal on /dev/console too
  kRecursive = 128,
  kCopyUp = 256,
  kInsideProc = 1024,           // the destination is /proc or below it, by its name
  kSourceNoFollow = 2048,       // a link at the source is bound itself
  kDestinationNoFollow = 4096,  // a link at the destination is mounted on itself
  kSameLink = 8192,             // a name that is there must be the same link
  kUndo = 16384,                // unmounted again when a later operation fails
  kSealLater = 32768,           // read-only at kSeal: mount points are made in it first
  kIfRefused = 512,             // only when an earlier attempt was refused
  kFromRoot = 32768,            // the working directory is the container's root
};

struct Operation {
  Op op{};
  __u32 flags = 0;
  __s32 fd = -1;
  Offset text = 0, text2 = 0;
  Offset data = 0, data2 = 0;
  __u32 data_count = 0;
  __u64 a = 0, b = 0, c = 0;
};

struct MountBlock {
  Offset type, source, destination;
  Offset options;                        // file-system options, separated by commas
  Offset fallback;                       // bind this recursively when the file system is refused
  __u32 super_flags, super_flags_clear;  // MS_*
  __u64 attr_set, attr_clear, rec_attr_set, rec_attr_clear;  // MOUNT_ATTR_*
  __u32 propagation_count;
  __u32 propagation[4];  // MS_*, MS_REC
  // The launcher's: with kSealLater, the mount and the block of the one before.
  __s32 mount;
  Offset sealed_before;
};

struct HookBlock {
  Offset path, argv, envp;  // argv and envp: offsets, 0-terminated
  __s32 timeout;            // s; 0 none
};

struct Program {
  __u32 magic;
  __u32 size;  // of all, bytes
  __s32 channel;
  __s32 proc;  // O_PATH descriptor of the host's /proc
  Offset operations;
  __u32 operation_count;
};

constexpr __u32 kMagic = 0x6b737431;  // "kst1"

enum class ReportKind : __u32 { kChild, kSync, kReady, kExec, kFailed };

struct Report {
  ReportKind kind;
  __u32 index;       // of the operation
  __u32 generation;  // forks before this launcher: a child may speak before its parent told of it
  Op op;
  __s32 error;       // errno
  __s32 call;        // kFailed: number of the system call that failed with `error`; -1: none did
  __s32 pid;         // kChild: as the pid namespace of the launcher before the fork sees it
  char detail[240];  // NUL-terminated: the object, what the kernel said
};

// What the runtime sends over the channel: the answer to a kSync; that the container's process is
// known and recorded.
constexpr char kGoByte = 'g';
constexpr char kHeldByte = 'h';
// What `start` sends to the start listener.
constexpr char kStartByte = 's';

}  // namespace kiste::isolation::launcher
