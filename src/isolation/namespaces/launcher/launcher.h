// SPDX-License-Identifier: Apache-2.0
//
// The launcher's own parts. Every function that carries out an operation returns 0 or -errno and
// may leave words in the report (Explain). Memory is the program's block, static buffers and the
// stack; there is no heap. The only exits are execve and Exit().
#pragma once

#include <linux/types.h>

#include "isolation/namespaces/launcher/operations.h"
#include "sys/raw_syscall.h"

namespace kiste::isolation::launcher {

// The last system call that failed, for the report: its number and what it returned.
struct LastFailure {
  long number = -1, error = 0;
};
inline LastFailure last_failure;

// As sys::Call, and remembers a failure.
template <long kNumber, typename... Arguments>
long Call(Arguments... arguments) {
  long result = sys::Call<kNumber>(arguments...);
  if (result < 0) last_failure = {kNumber, result};
  return result;
}

constexpr unsigned kPathMax = 4096;
constexpr unsigned kMostMounts = 64;  // of one change

struct Launcher {
  char* base = nullptr;  // of the program's block
  Program* program = nullptr;
  int channel = -1;                  // where reports go
  int proc = -1;                     // O_PATH of the host's /proc
  int root = -1;                     // O_PATH of the container's root once kRoot made it
  int parent = -1;                   // O_PATH of the directory of the device before
  int time_offsets = -1;             // opened by kOpenTimeOffsets
  int mask = -1;                     // the empty read-only tmpfs that masks directories
  Offset sealed_last = 0;            // MountBlock of the last mount with kSealLater
  long umask = 0;                    // of hooks: the runtime's until kUmask, then the process's
  const char* executable = nullptr;  // found by kFindExecutable
  int mounts[kMostMounts] = {};      // of a change: made so far, or found
  unsigned mount_count = 0;
  bool undo_mounts = false;    // a failure takes them away
  bool held = false;           // the runtime has said kHeldByte
  bool hidden = false;         // kHide was carried out
  bool chdir_refused = false;  // as root; the user will try
  Report report{};

  const char* Text(Offset offset) const { return offset == 0 ? "" : base + offset; }
  template <typename T>
  T* Data(Offset offset) const {
    return reinterpret_cast<T*>(base + offset);
  }
  // Adds words to the failure report: pieces are joined; cut when too long.
  void Explain(const char* piece, const char* piece2 = "", const char* piece3 = "");
  // Adds `piece` and foreign text in quotes, without the blanks around it, to what was explained;
  // cut when too long, and nothing when hardly any of it has room.
  void ExplainQuoted(const char* piece, const char* text, unsigned long size);
};

// text.cc (also memcpy, memset, memcmp, memmove for the compiler)
unsigned Length(const char* text);
bool Equal(const char* a, const char* b);
bool StartsWith(const char* text, const char* prefix);
void Copy(void* to, const void* from, unsigned long size);
char* AppendText(char* to, const char* end, const char* text);  // keeps a NUL; returns the new end
char* AppendNumber(char* to, const char* end, unsigned long number);
// `text` in the form of base/strings.h, Quote(): marked when it was cut. For 8 bytes at least.
char* AppendQuoted(char* to, const char* end, const char* text, unsigned long size);
bool ParseNumber(const char*& text, unsigned long& number);  // advances; false without a digit

// descriptors.cc
class Handle {  // closes its descriptor
 public:
  explicit Handle(long fd) : fd_(static_cast<int>(fd)) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { Close(); }
  int get() const { return fd_; }
  bool bad() const { return fd_ < 0; }
  long error() const { return fd_; }
  int Release() {
    int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void Replace(long fd) {
    Close();
    fd_ = static_cast<int>(fd);
  }

 private:
  void Close() {
    if (fd_ >= 0) Call<__NR_close>(fd_);
  }
  int fd_;
};
long WriteAll(int fd, const void* from, unsigned long size);
// What Examine finds behind a descriptor; it returns 0 or -errno.
struct FileKind {
  __u32 mode = 0;  // with the type's bits (S_IFMT)
  __u32 uid = 0;
  __u32 device_major = 0, device_minor = 0;
  __u64 size = 0;  // bytes
};
long Examine(int fd, FileKind& kind);
// A device number as mknodat(2) takes it (the kernel's new_encode_dev()).
constexpr __u32 DeviceNumber(__u32 major, __u32 minor) {
  return (minor & 0xffu) | (major << 8) | ((minor & ~0xffu) << 12);
}
long FileSystemType(int fd);  // f_type of statfs(2), or -errno

// paths.cc: names inside the container's root, resolved by the kernel (openat2, RESOLVE_IN_ROOT)
enum class Create { kNothing, kDirectory, kFile };
// An O_PATH descriptor of `path` below the root. With kDirectory or kFile what is missing is made
// (0755, a file empty; as runc makes them, for they may end up in an image). No magic links ever;
// no links at all if `no_symlinks`.
long OpenInRoot(const Launcher& l, const char* path, Create create, bool no_symlinks = false);
// The same for what is there, a link at the end not followed.
long OpenLinkInRoot(const Launcher& l, const char* path);
// A terminal, for reading and writing; no links.
long OpenTerminalInRoot(const Launcher& l, const char* path);
// The directory that holds `path`'s last component, made when missing; `name` gets the component.
long OpenParentInRoot(const Launcher& l, const char* path, const char** name);

// mounts.cc
long OpenTree(int directory, const char* path, unsigned flags);
long MoveMount(int tree, int onto);
// MOUNT_ATTR_* and MS_* propagation of a mount, or of it and all below.
long SetAttributes(int mount, __u64 set, __u64 clear, __u64 propagation, bool recursive);
long SetRecursiveAttributes(int mount, const MountBlock& block);
long SetPropagation(int mount, const MountBlock& block);
// The destination of `block`, made as a directory or file when missing.
long OpenDestination(Launcher& l, const Operation& op, const MountBlock& block, Create create);
long CheckOverProc(Launcher& l, const Operation& op, int destination, bool source_is_proc);
long Bind(Launcher& l, const Operation& op);
// file_system.cc
long FileSystem(Launcher& l, const Operation& op);
long Remount(Launcher& l, const Operation& op);
long Seal(Launcher& l);
// root.cc
long Propagation(Launcher& l, const Operation& op);
long Root(Launcher& l, const Operation& op);
long HideMount(Launcher& l, const Operation& op);
long Pivot(Launcher& l, const Operation& op);
long Chroot(Launcher& l, const Operation& op);
long RootAttributes(Launcher& l, const Operation& op);
// masks.cc
long Mask(Launcher& l, const Operation& op);
long ReadonlyPath(Launcher& l, const Operation& op);
// change.cc
// Keeps a mount that has just been attached, if `op` says so.
long KeepForUndo(Launcher& l, const Operation& op, Handle& mount);
long FindMount(Launcher& l, const Operation& op);
long Unmount(Launcher& l);
[[noreturn]] void Finish(Launcher& l);
// copy_up.cc: copies the directory `from` (a readable descriptor) into `to`, recursively
long CopyTree(int from, int to);
// devices.cc
// Mknod() and MakeSymlink() leave the directory open for those that follow at once.
void ForgetParent(Launcher& l);
long Mknod(Launcher& l, const Operation& op);
long BindDevice(Launcher& l, const Operation& op);
long MakeSymlink(Launcher& l, const Operation& op);
// console.cc
long Console(Launcher& l, const Operation& op);
// hooks.cc
long Hooks(Launcher& l, const Operation& op);
// The pieces of a state text with the host's pid of this process at every mark
// (isolation::kPidMark).
struct IoVector {
  const void* base;
  unsigned long size;
};
struct StatePieces {
  IoVector pieces[9];
  unsigned count = 0;
  char pid[24];
};
void ExpandState(const Launcher& l, const char* state, StatePieces& to);
// process.cc, credentials.cc
long DefaultSignals(const Operation& op);
long EndOnSignals();
long JoinCgroup(const Operation& op);
long Fork(Launcher& l, const Operation& op);
long BecomeRoot();
long OpenTimeOffsets(Launcher& l);
long TimeOffsets(Launcher& l, const Operation& op);
long LoopbackUp();
long ProcWrite(Launcher& l, const Operation& op);
long Keyring(Launcher& l, const Operation& op);
long Chdir(Launcher& l, const Operation& op);
long SwitchUser(Launcher& l, const Operation& op);
long DropBounding(const Operation& op);
long SetCapabilities(Launcher& l, const Operation& op);
long Seccomp(Launcher& l, const Operation& op);
long StdioOwner(const Operation& op);
// execute.cc
// The home directory of `uid` among the lines of `text` (passwd(5)), which is cut to pieces on the
// way; nullptr when there is none. The text is the image's: anything.
const char* FindHome(char* text, unsigned long uid);
long Home(Launcher& l, const Operation& op);
long FindExecutable(Launcher& l, const Operation& op);
long Execute(Launcher& l, const Operation& op);
// dialogue.cc
void SendReport(Launcher& l, ReportKind kind, long error);
long Sync(Launcher& l);
long Confirm(Launcher& l);
long WaitStart(Launcher& l, const Operation& op);
// A descriptor as SCM_RIGHTS beside the given bytes; -errno on failure.
long SendDescriptor(int socket, int fd, const IoVector* pieces, unsigned count);
[[noreturn]] void Exit(int code);

}  // namespace kiste::isolation::launcher
