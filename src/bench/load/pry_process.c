// SPDX-License-Identifier: Apache-2.0
//
// Processes of others. Deeds are tried on the planted process alone, never on another one: it
// sleeps, only counts SIGURG and SIGWINCH, and has a nice value that tells it from others.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "pry.h"

static int IsNumber(const char* text) {
  return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

// By what it says of itself in /proc, or else by the planted pid together with its nice value and
// that it leads its group. 0 when it is not within reach.
static pid_t FindPlanted(void) {
  DIR* folder = opendir("/proc");
  pid_t found = 0;
  if (folder != NULL) {
    for (struct dirent* entry; found == 0 && (entry = readdir(folder)) != NULL;) {
      char path[300], line[4096];
      snprintf(path, sizeof(path), "%s/cmdline", entry->d_name);
      if (!IsNumber(entry->d_name)) continue;
      const ssize_t size = ReadFileAt(dirfd(folder), path, line, sizeof(line));
      // The words that planted things are named in are on our own command line, too.
      if (size > 0 && HasToken(line, (size_t)size) &&
          memmem(line, (size_t)size, "--marker", 8) == NULL)
        found = (pid_t)strtol(entry->d_name, NULL, 10);
    }
    closedir(folder);
  }
  if (found != 0) return found;
  const pid_t pid = (pid_t)MarkerNumber("process");
  errno = 0;
  if (pid > 1 && getpgid(pid) == pid && getpriority(PRIO_PROCESS, (id_t)pid) == 7 && errno == 0)
    return pid;
  return 0;
}

// Sets `pid`, or answers why there is none.
static int Planted(pid_t* pid, enum Verdict* verdict) {
  if (Marker("process") == NULL) {
    *verdict = Unknown("no process was planted");
    return 0;
  }
  *pid = FindPlanted();
  if (*pid == 0) *verdict = Closed("the planted process is not to be found");
  return *pid != 0;
}

static enum Verdict CommandLine(const struct Probe* probe) {
  (void)probe;
  pid_t pid;
  enum Verdict verdict;
  if (!Planted(&pid, &verdict)) return verdict;
  char path[64];
  snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
  return AskForToken(AT_FDCWD, path);
}

static enum Verdict List(const struct Probe* probe) {
  (void)probe;
  char self[32] = "";
  if (readlink("/proc/self", self, sizeof(self) - 1) < 0) return Failed("/proc/self", errno);
  const int host = InHostNamespace("pid");
  int count = 0;
  DIR* folder = opendir("/proc");
  if (folder == NULL) return Failed("/proc", errno);
  for (struct dirent* entry; (entry = readdir(folder)) != NULL;) count += IsNumber(entry->d_name);
  closedir(folder);
  if (strtol(self, NULL, 10) != getpid())
    return Sees("/proc is that of an outer pid namespace: %d processes", count);
  if (host < 0) return Unknown("%d processes; the pid namespace is not told", count);
  // This one, its parent, and perhaps the shell that started it.
  if (host == 0) return Closed("%d processes, all of its own pid namespace", count);
  return Sees("%d processes of the host's pid namespace", count);
}

// What /proc says of it, file by file; `number` is 1 for those that must hold the token.
static enum Verdict FileOfPlanted(const struct Probe* probe) {
  pid_t pid;
  enum Verdict verdict;
  if (!Planted(&pid, &verdict)) return verdict;
  char path[512], bytes[4096];
  snprintf(path, sizeof(path), "/proc/%d/%s", pid, probe->path);
  if (probe->number == 1) return AskForToken(AT_FDCWD, path);
  if (ReadFile(path, bytes, sizeof(bytes)) < 0) return Failed(path, errno);
  return Sees("%s is readable", path);
}

static enum Verdict Root(const struct Probe* probe) {
  pid_t pid;
  enum Verdict verdict;
  const char* secret = Marker("secret");
  if (!Planted(&pid, &verdict)) return verdict;
  if (secret == NULL) return Unknown("no secret was planted");
  char path[512];
  // The planted process works in the secret's folder.
  const char* base = strrchr(secret, '/');
  snprintf(path, sizeof(path), "/proc/%d/%s/%s", pid, probe->path,
           strcmp(probe->path, "cwd") == 0 && base != NULL ? base + 1 : secret);
  return AskForToken(AT_FDCWD, path);
}

static enum Verdict OpenMemory(const struct Probe* probe) {
  (void)probe;
  pid_t pid;
  enum Verdict verdict;
  if (!Planted(&pid, &verdict)) return verdict;
  char path[64], bytes[64];
  snprintf(path, sizeof(path), "/proc/%d/mem", pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Failed(path, errno);
  const ssize_t size = pread(fd, bytes, sizeof(bytes), MarkerNumber("process-memory"));
  const int error = errno;
  close(fd);
  if (size < 0) return Failed(path, error);
  return HasToken(bytes, (size_t)size) ? Sees("%s holds the secret", path)
                                       : Unknown("%s is readable, but not the planted one's", path);
}

// The other's memory begins with the token; 64 bytes behind there is room to write.
static enum Verdict Memory(const struct Probe* probe) {
  pid_t pid;
  enum Verdict verdict;
  if (!Planted(&pid, &verdict)) return verdict;
  char bytes[64] = "";
  const uintptr_t address = (uintptr_t)MarkerNumber("process-memory");
  struct iovec here = {.iov_base = bytes, .iov_len = sizeof(bytes)};
  struct iovec there = {.iov_base = (void*)address, .iov_len = sizeof(bytes)};
  const ssize_t size = process_vm_readv(pid, &here, 1, &there, 1, 0);
  if (size < 0) return Failed("process_vm_readv", errno);
  if (!HasToken(bytes, (size_t)size)) return Unknown("read, but not from the planted process");
  if (probe->finds == kSees) return Sees("read the secret from process %d", pid);
  here.iov_len = 1;
  bytes[0] = 1;
  there = (struct iovec){.iov_base = (void*)(address + 64), .iov_len = 1};
  if (process_vm_writev(pid, &here, 1, &there, 1, 0) != 1)
    return Failed("process_vm_writev", errno);
  return Touches("wrote into process %d", pid);
}

static enum Verdict Descriptors(const struct Probe* probe) {
  (void)probe;
  pid_t pid;
  enum Verdict verdict;
  if (!Planted(&pid, &verdict)) return verdict;
  char path[64];
  snprintf(path, sizeof(path), "/proc/%d/fd", pid);
  DIR* folder = opendir(path);
  if (folder == NULL) return Failed(path, errno);
  closedir(folder);
  return Sees("%s can be listed", path);
}

static enum Verdict Pidfd(const struct Probe* probe) {
  pid_t pid;
  enum Verdict verdict;
  if (!Planted(&pid, &verdict)) return verdict;
  const long pidfd = syscall(SYS_pidfd_open, pid, 0);
  if (pidfd < 0) return Failed("pidfd_open", errno);
  if (probe->finds == kSees) return Sees("a pidfd of process %d", pid);
  if (syscall(SYS_pidfd_getfd, pidfd, 0, 0) < 0) return Failed("pidfd_getfd", errno);
  return Touches("took descriptor 0 of process %d", pid);
}

static enum Verdict Signal(const struct Probe* probe) {
  (void)probe;
  pid_t pid;
  enum Verdict verdict;
  if (!Planted(&pid, &verdict)) return verdict;
  if (kill(pid, SIGURG) != 0) return Failed("kill", errno);
  return Touches("sent SIGURG to process %d", pid);
}

static enum Verdict SignalByDescriptor(const struct Probe* probe) {
  (void)probe;
  pid_t pid;
  enum Verdict verdict;
  if (!Planted(&pid, &verdict)) return verdict;
  const long pidfd = syscall(SYS_pidfd_open, pid, 0);
  if (pidfd < 0) return Failed("pidfd_open", errno);
  // Another one than above: the planted process counts them apart.
  if (syscall(SYS_pidfd_send_signal, pidfd, SIGWINCH, NULL, 0) != 0)
    return Failed("pidfd_send_signal", errno);
  return Touches("sent SIGWINCH to process %d", pid);
}

// PTRACE_SEIZE does not stop the other; the trace ends with this process.
static enum Verdict Trace(const struct Probe* probe) {
  (void)probe;
  pid_t pid;
  enum Verdict verdict;
  if (!Planted(&pid, &verdict)) return verdict;
  if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0) return Failed("ptrace", errno);
  return Touches("traces process %d", pid);
}

// Each sets what is there already.
static enum Verdict Priority(const struct Probe* probe) {
  (void)probe;
  pid_t pid;
  enum Verdict verdict;
  if (!Planted(&pid, &verdict)) return verdict;
  errno = 0;
  const int nice_value = getpriority(PRIO_PROCESS, (id_t)pid);
  if (errno != 0) return Failed("getpriority", errno);
  if (setpriority(PRIO_PROCESS, (id_t)pid, nice_value) != 0) return Failed("setpriority", errno);
  return Touches("set the priority of process %d", pid);
}

static enum Verdict Affinity(const struct Probe* probe) {
  (void)probe;
  pid_t pid;
  enum Verdict verdict;
  cpu_set_t set;
  if (!Planted(&pid, &verdict)) return verdict;
  if (sched_getaffinity(pid, sizeof(set), &set) != 0) return Failed("sched_getaffinity", errno);
  if (sched_setaffinity(pid, sizeof(set), &set) != 0) return Failed("sched_setaffinity", errno);
  return Touches("set the processors of process %d", pid);
}

static enum Verdict IoPriority(const struct Probe* probe) {
  (void)probe;
  pid_t pid;
  enum Verdict verdict;
  if (!Planted(&pid, &verdict)) return verdict;
  enum { kWhoProcess = 1 };
  const long priority = syscall(SYS_ioprio_get, kWhoProcess, pid);
  if (priority < 0) return Failed("ioprio_get", errno);
  if (syscall(SYS_ioprio_set, kWhoProcess, pid, priority) != 0) return Failed("ioprio_set", errno);
  return Touches("set the I/O priority of process %d", pid);
}

static enum Verdict Limits(const struct Probe* probe) {
  (void)probe;
  pid_t pid;
  enum Verdict verdict;
  struct rlimit limit;
  if (!Planted(&pid, &verdict)) return verdict;
  if (prlimit(pid, RLIMIT_CORE, NULL, &limit) != 0) return Failed("prlimit", errno);
  if (prlimit(pid, RLIMIT_CORE, &limit, NULL) != 0) return Failed("prlimit", errno);
  return Touches("set a limit of process %d", pid);
}

static enum Verdict OomScore(const struct Probe* probe) {
  (void)probe;
  pid_t pid;
  enum Verdict verdict;
  if (!Planted(&pid, &verdict)) return verdict;
  char path[64], score[32];
  snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
  const ssize_t size = ReadFile(path, score, sizeof(score));
  if (size < 0) return Failed(path, errno);
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return Failed(path, errno);
  if (write(fd, score, (size_t)size) != size) return Failed(path, errno);
  return Touches("wrote %s", path);
}

static enum Verdict MovePages(const struct Probe* probe) {
  (void)probe;
  pid_t pid;
  enum Verdict verdict;
  if (!Planted(&pid, &verdict)) return verdict;
  // With no target nodes it only says where the page is.
  void* page = (void*)((uintptr_t)MarkerNumber("process-memory") & ~(uintptr_t)4095);
  int status = 0;
  if (syscall(SYS_move_pages, pid, 1UL, &page, NULL, &status, 0) != 0)
    return Failed("move_pages", errno);
  return Sees("where a page of process %d lies: node %d", pid, status);
}

static enum Verdict Compare(const struct Probe* probe) {
  (void)probe;
  pid_t pid;
  enum Verdict verdict;
  if (!Planted(&pid, &verdict)) return verdict;
  const long order = syscall(SYS_kcmp, pid, getpid(), KCMP_VM, 0, 0);
  if (order < 0) return Failed("kcmp", errno);
  return Sees("compares its memory with that of process %d", pid);
}

static enum Verdict EnterNamespaces(const struct Probe* probe) {
  pid_t pid;
  enum Verdict verdict;
  if (!Planted(&pid, &verdict)) return verdict;
  char path[64];
  snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, probe->path);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Failed(path, errno);
  if (setns(fd, 0) != 0) return Failed("setns", errno);
  return Touches("entered the %s namespace of process %d", probe->path, pid);
}

static enum Verdict Session(const struct Probe* probe) {
  (void)probe;
  pid_t pid;
  enum Verdict verdict;
  if (!Planted(&pid, &verdict)) return verdict;
  if (getsid(pid) < 0) return Failed("getsid", errno);
  return Sees("that process %d is there, and its session", pid);
}

// Signal 0 only asks. To every process that one may signal but oneself and the first.
static enum Verdict SignalAll(const struct Probe* probe) {
  (void)probe;
  if (getppid() > 1 && InHostNamespace("pid") < 0) return Unknown("the pid namespace is not told");
  if (InHostNamespace("pid") != 1) return Closed("reaches its own pid namespace only");
  if (kill(-1, 0) != 0) return Failed("kill", errno);
  return Touches("may signal processes of the host's pid namespace");
}

static const struct Probe kProbes[] = {
    {"process/list", List},
    {"process/command-line", CommandLine},
    {"process/environment", FileOfPlanted, "environ", kSees, 1},
    {"process/maps", FileOfPlanted, "maps", kSees, 0},
    {"process/stack", FileOfPlanted, "stack", kSees, 0},
    {"process/io-counters", FileOfPlanted, "io", kSees, 0},
    {"process/cgroup", FileOfPlanted, "cgroup", kSees, 0},
    {"process/root", Root, "root", kSees},
    {"process/working-directory", Root, "cwd", kSees},
    {"process/descriptors", Descriptors},
    {"process/memory-file", OpenMemory},
    {"process/read-memory", Memory, NULL, kSees},
    {"process/write-memory", Memory, NULL, kTouches},
    {"process/pidfd", Pidfd, NULL, kSees},
    {"process/take-descriptor", Pidfd, NULL, kTouches},
    {"process/session", Session},
    {"process/signal", Signal},
    {"process/signal-by-descriptor", SignalByDescriptor},
    {"process/signal-all", SignalAll},
    {"process/trace", Trace},
    {"process/priority", Priority},
    {"process/affinity", Affinity},
    {"process/io-priority", IoPriority},
    {"process/limits", Limits},
    {"process/oom-score", OomScore},
    {"process/pages", MovePages},
    {"process/compare", Compare},
    {"process/enter-mount-namespace", EnterNamespaces, "mnt", kTouches},
    {"process/enter-network-namespace", EnterNamespaces, "net", kTouches},
    {"process/enter-pid-namespace", EnterNamespaces, "pid", kTouches},
};
const struct Group kProcessGroup = PRY_GROUP("process", kProbes);
