// SPDX-License-Identifier: Apache-2.0
//
// The kernel's interfaces that have no namespace: its log, modules, programs, counters, keys. What
// would change something is called with arguments that the kernel turns down after the permission.
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pry.h"

static char g_log[1 << 20];

static enum Verdict Log(const struct Probe* probe) {
  (void)probe;
  enum { kReadAll = 3 };
  const int size = klogctl(kReadAll, g_log, sizeof(g_log));
  if (size < 0) return Failed("syslog", errno);
  if (HasToken(g_log, (size_t)size)) return Sees("the kernel's log holds the host's line");
  if (size == 0) return Closed("the kernel's log is empty");
  return Reached(kSees, "the kernel's log: %d bytes", size);
}

static enum Verdict LogDevice(const struct Probe* probe) {
  (void)probe;
  const int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return Failed("/dev/kmsg", errno);
  int lines = 0;
  ssize_t size = 0;
  // EPIPE: lines were dropped before they were read.
  while ((size = read(fd, g_log, 8192)) > 0 || (size < 0 && errno == EPIPE)) {
    lines++;
    if (size > 0 && HasToken(g_log, (size_t)size)) return Sees("/dev/kmsg holds the host's line");
  }
  close(fd);
  if (lines == 0) return Closed("/dev/kmsg is empty");
  return Reached(kSees, "/dev/kmsg: %d lines", lines);
}

// A length of 0 is turned down after the permission; the console's level stays.
static enum Verdict ConsoleLevel(const struct Probe* probe) {
  (void)probe;
  enum { kSetConsoleLevel = 8 };
  if (klogctl(kSetConsoleLevel, NULL, 0) == 0) return Unknown("syslog took the level 0");
  if (errno != EINVAL) return Failed("syslog", errno);
  return Reached(kTouches, "may set what goes to the console");
}

// A call that must fail: past the permission with `expected` (or `other`), else refused.
static enum Verdict Gate(const char* what, long result, int error, int expected, int other) {
  if (result >= 0) return Unknown("%s succeeded with arguments that cannot", what);
  if (error != expected && error != other) return Failed(what, error);
  return Reached(kTouches, "%s is permitted (%s)", what, strerrorname_np(error));
}

static enum Verdict InitModule(const struct Probe* probe) {
  (void)probe;
  const long result = syscall(SYS_init_module, NULL, 0UL, "");
  return Gate("init_module", result, errno, ENOEXEC, EFAULT);
}

static enum Verdict FinitModule(const struct Probe* probe) {
  (void)probe;
  const long result = syscall(SYS_finit_module, -1, "", 0);
  return Gate("finit_module", result, errno, EBADF, ENOEXEC);
}

static enum Verdict DeleteModule(const struct Probe* probe) {
  (void)probe;
  const long result = syscall(SYS_delete_module, "kiste_none", O_NONBLOCK);
  if (result < 0 && errno == ENOENT)
    return Reached(kTouches, "delete_module is permitted (ENOENT)");
  return Gate("delete_module", result, errno, EINVAL, EINVAL);
}

// A flag that does not exist: nothing is loaded or unloaded.
static enum Verdict Kexec(const struct Probe* probe) {
  (void)probe;
  const long result = syscall(SYS_kexec_load, 0UL, 17UL, NULL, 0x4000UL);
  return Gate("kexec_load", result, errno, EINVAL, EINVAL);
}

// Magic numbers that mean nothing. Inside a pid namespace the true ones would end that alone.
static enum Verdict Reboot(const struct Probe* probe) {
  (void)probe;
  const long result = syscall(SYS_reboot, 0, 0, 0, NULL);
  const int error = errno;
  if (result < 0 && error == EINVAL && InHostNamespace("pid") == 0)
    return Closed("permitted, but it would end its own pid namespace only");
  if (result < 0 && error == EINVAL && InHostNamespace("pid") < 0)
    return Unknown("permitted, but the pid namespace is not told");
  return Gate("reboot", result, error, EINVAL, EINVAL);
}

static enum Verdict Acct(const struct Probe* probe) {
  (void)probe;
  if (syscall(SYS_acct, "/.kiste-none/none") == 0) return Unknown("acct took no file");
  if (errno != ENOENT && errno != ENOTDIR) return Failed("acct", errno);
  return Reached(kTouches, "acct is permitted");
}

// A pointer to nowhere: the permission is asked for before it is followed.
static enum Verdict Entropy(const struct Probe* probe) {
  (void)probe;
  const int fd = open("/dev/random", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return Failed("/dev/random", errno);
  const int result = ioctl(fd, RNDADDTOENTCNT, NULL);
  return Gate("crediting entropy", result, errno, EFAULT, EFAULT);
}

static long Bpf(int command, union bpf_attr* attributes) {
  return syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static enum Verdict BpfMap(const struct Probe* probe) {
  (void)probe;
  union bpf_attr map = {
      .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
  if (Bpf(BPF_MAP_CREATE, &map) < 0) return Failed("bpf(BPF_MAP_CREATE)", errno);
  return Reached(kTouches, "may make maps for programs in the kernel");
}

// `return 0` as a program of type `number`; it is attached to nothing.
static enum Verdict BpfProgram(const struct Probe* probe) {
  static const struct bpf_insn kReturn[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0},
      {.code = BPF_JMP | BPF_EXIT},
  };
  union bpf_attr program = {.prog_type = probe->number,
                            .insn_cnt = 2,
                            .insns = (uintptr_t)kReturn,
                            .license = (uintptr_t)"GPL"};
  if (Bpf(BPF_PROG_LOAD, &program) < 0) return Failed("bpf(BPF_PROG_LOAD)", errno);
  return Reached(kTouches, "may load programs of type %u into the kernel", probe->number);
}

static enum Verdict BpfList(const struct Probe* probe) {
  (void)probe;
  union bpf_attr next = {.start_id = 0};
  // ENOENT: permitted, there is none.
  if (Bpf(BPF_PROG_GET_NEXT_ID, &next) < 0 && errno != ENOENT)
    return Failed("bpf(BPF_PROG_GET_NEXT_ID)", errno);
  return Reached(kSees, "may list the programs in the kernel");
}

static int OpenCounter(uint32_t type, uint64_t what, pid_t pid, int processor) {
  struct perf_event_attr counter = {
      .type = type, .size = sizeof(counter), .config = what, .exclude_kernel = 1, .exclude_hv = 1};
  return (int)syscall(SYS_perf_event_open, &counter, pid, processor, -1, PERF_FLAG_FD_CLOEXEC);
}

static enum Verdict PerfMachine(const struct Probe* probe) {
  if (OpenCounter(probe->number, probe->second, -1, 0) < 0) return Failed("perf_event_open", errno);
  return Reached(kSees, "counts events of all processes of processor 0");
}

static enum Verdict PerfOther(const struct Probe* probe) {
  (void)probe;
  if (Marker("process") == NULL) return Unknown("no process was planted");
  if (InHostNamespace("pid") == 0)
    return Closed("the planted process is not in this pid namespace");
  const int fd =
      OpenCounter(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, (pid_t)MarkerNumber("process"), -1);
  if (fd < 0) return Failed("perf_event_open", errno);
  return InHostNamespace("pid") < 0 ? Unknown("counts events of a process, whose is not told")
                                    : Sees("counts events of the planted process");
}

// The keyrings of a user belong to the user namespace and the uid.
static long FindKey(void) {
  const char* name = Marker("key");
  static const int kRings[] = {KEY_SPEC_USER_KEYRING, KEY_SPEC_SESSION_KEYRING,
                               KEY_SPEC_USER_SESSION_KEYRING};
  long key = -1;
  for (size_t i = 0; i < sizeof(kRings) / sizeof(kRings[0]) && key < 0; i++)
    key = syscall(SYS_keyctl, KEYCTL_SEARCH, kRings[i], "user", name, 0);
  return key;
}

static enum Verdict Key(const struct Probe* probe) {
  char bytes[256];
  if (Marker("key") == NULL) return Unknown("no key was planted");
  const long key = probe->number == 0 ? FindKey() : MarkerNumber("key-id");
  if (key < 0) return Failed("keyctl", errno);
  const long size = syscall(SYS_keyctl, KEYCTL_READ, key, bytes, sizeof(bytes));
  if (size < 0) return Failed("keyctl", errno);
  if (size > (long)sizeof(bytes) || !HasToken(bytes, (size_t)size))
    return Closed("a key of this name, but not the host's");
  if (probe->finds == kSees) return Sees("the host's key holds the secret");
  char payload[300];
  snprintf(payload, sizeof(payload), "%.*s+", (int)size, bytes);
  if (syscall(SYS_keyctl, KEYCTL_UPDATE, key, payload, strlen(payload)) != 0)
    return Failed("keyctl", errno);
  return Touches("changed the host's key");
}

static enum Verdict KeyList(const struct Probe* probe) {
  (void)probe;
  if (Marker("key") == NULL) return Unknown("no key was planted");
  const ssize_t size = ReadFile("/proc/keys", g_log, sizeof(g_log));
  if (size < 0) return Failed("/proc/keys", errno);
  return HasToken(g_log, (size_t)size) ? Sees("/proc/keys lists the host's key")
                                       : Closed("/proc/keys does not list the host's key");
}

static const struct Probe kProbes[] = {
    {"kernel/log", Log},
    {"kernel/log-device", LogDevice},
    {"kernel/console-level", ConsoleLevel},
    {"kernel/command-line", AskReadable, "/proc/cmdline", kSees},
    {"kernel/configuration", AskReadable, "/proc/config.gz", kSees},
    {"kernel/build-notes", AskReadable, "/sys/kernel/notes", kSees},
    {"kernel/crypto", AskReadable, "/proc/crypto", kSees},
    {"kernel/uevent-helper", AskWritable, "/sys/kernel/uevent_helper", kTouches},
    {"kernel/power-state", AskWritable, "/sys/power/state", kTouches},
    {"kernel/binary-formats", AskWritable, "/proc/sys/fs/binfmt_misc/register", kTouches},
    {"kernel/debugfs", AskReadable, "/sys/kernel/debug/sched/features", kSees},
    {"kernel/tracing", AskReadable, "/sys/kernel/tracing/available_tracers", kSees},
    {"kernel/security", AskReadable, "/sys/kernel/security/lsm", kSees},
    {"kernel/init-module", InitModule},
    {"kernel/finit-module", FinitModule},
    {"kernel/delete-module", DeleteModule},
    {"kernel/kexec", Kexec},
    {"kernel/reboot", Reboot},
    {"kernel/acct", Acct},
    {"kernel/entropy", Entropy},
    {"kernel/bpf-map", BpfMap},
    {"kernel/bpf-socket-filter", BpfProgram, NULL, kTouches, BPF_PROG_TYPE_SOCKET_FILTER},
    {"kernel/bpf-kprobe", BpfProgram, NULL, kTouches, BPF_PROG_TYPE_KPROBE},
    {"kernel/bpf-list", BpfList},
    {"kernel/perf-machine", PerfMachine, NULL, kSees, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK},
    {"kernel/perf-hardware", PerfMachine, NULL, kSees, PERF_TYPE_HARDWARE,
     PERF_COUNT_HW_CPU_CYCLES},
    {"kernel/perf-process", PerfOther},
    {"kernel/key", Key, NULL, kSees, 0},
    {"kernel/key-by-number", Key, NULL, kSees, 1},
    {"kernel/key-write", Key, NULL, kTouches, 1},
    {"kernel/key-list", KeyList},
};
const struct Group kKernelGroup = PRY_GROUP("kernel", kProbes);
