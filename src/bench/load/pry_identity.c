// SPDX-License-Identifier: Apache-2.0
//
// Identity: whether root in here is root out there, and which of the host's powers it holds. A
// capability counts over a user namespace (capabilities(7), user_namespaces(7)): over one's own it
// reaches nothing outside. Whether the calls behind it pass a seccomp filter other probes try.
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pry.h"

static enum Verdict Capability(const struct Probe* probe) {
  struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2] = {{0}};
  if (syscall(SYS_capget, &head, data) != 0) return Failed("capget", errno);
  const uint32_t word = data[probe->number / 32].permitted;
  if ((word >> (probe->number % 32) & 1) == 0) return Closed("%s is not held", probe->path);
  const int host = InHostNamespace("user");
  if (host == 0) return Closed("%s is held over its own user namespace or kernel", probe->path);
  if (host < 0) return Unknown("%s is held, the user namespace is not told", probe->path);
  return Touches("%s is held over the host's user namespace", probe->path);
}

static enum Verdict Root(const struct Probe* probe) {
  (void)probe;
  const int host = InHostNamespace("user");
  if (geteuid() != 0) return Closed("runs as user %u", (unsigned)geteuid());
  if (host == 0) return Closed("is root of its own user namespace or kernel");
  if (host < 0) return Unknown("is root, the user namespace is not told");
  return Touches("is the host's root");
}

// The map's second number is the user outside.
static enum Verdict MappedRoot(const struct Probe* probe) {
  (void)probe;
  char bytes[512];
  unsigned inside, outside, size;
  if (InHostNamespace("user") == 1) return Sees("the users are the host's");
  if (ReadFile("/proc/self/uid_map", bytes, sizeof(bytes)) < 0)
    return Failed("/proc/self/uid_map", errno);
  if (sscanf(bytes, "%u %u %u", &inside, &outside, &size) != 3)  // NOLINT: the kernel's numbers
    return Closed("no user is mapped");
  if (outside == 0) return Reached(kTouches, "user %u is the host's root", inside);
  return Closed("user %u is %u outside", inside, outside);
}

// Real-time scheduling takes the processor from everybody; given back at once.
static enum Verdict RealTime(const struct Probe* probe) {
  (void)probe;
  const struct sched_param first = {.sched_priority = 1}, none = {.sched_priority = 0};
  if (sched_setscheduler(0, SCHED_FIFO, &first) != 0) return Failed("sched_setscheduler", errno);
  sched_setscheduler(0, SCHED_OTHER, &none);
  return Reached(kTouches, "may run before everybody else (SCHED_FIFO)");
}

static enum Verdict Nice(const struct Probe* probe) {
  (void)probe;
  errno = 0;
  const int was = getpriority(PRIO_PROCESS, 0);
  if (errno != 0) return Failed("getpriority", errno);
  if (was == -20) return Reached(kTouches, "has the nice value -20");
  if (setpriority(PRIO_PROCESS, 0, was - 1) != 0) return Failed("setpriority", errno);
  return Reached(kTouches, "may lower its nice value");
}

static enum Verdict RaiseLimit(const struct Probe* probe) {
  (void)probe;
  struct rlimit limit;
  // Down is free; only up again needs a permission. The limit itself may be at its highest.
  if (getrlimit(RLIMIT_MSGQUEUE, &limit) != 0) return Failed("getrlimit", errno);
  const struct rlimit lower = {limit.rlim_max / 2, limit.rlim_max / 2};
  if (setrlimit(RLIMIT_MSGQUEUE, &lower) != 0) return Failed("setrlimit", errno);
  if (setrlimit(RLIMIT_MSGQUEUE, &limit) != 0) return Failed("setrlimit", errno);
  return Reached(kTouches, "may raise its limits");
}

static enum Verdict LockMemory(const struct Probe* probe) {
  (void)probe;
  const struct rlimit none = {0, 0};
  char page[64];
  // Below a limit of 0 only who may lock as much as he likes can lock.
  if (setrlimit(RLIMIT_MEMLOCK, &none) != 0) return Failed("setrlimit", errno);
  if (mlock(page, sizeof(page)) != 0) return Failed("mlock", errno);
  return Reached(kTouches, "may lock memory without a limit");
}

#define CAPABILITY(name, number) {"identity/" name, Capability, #number, kTouches, number}

static const struct Probe kProbes[] = {
    {"identity/root", Root},
    {"identity/mapped-root", MappedRoot},
    CAPABILITY("cap-sys-admin", CAP_SYS_ADMIN),
    CAPABILITY("cap-sys-module", CAP_SYS_MODULE),
    CAPABILITY("cap-sys-rawio", CAP_SYS_RAWIO),
    CAPABILITY("cap-sys-time", CAP_SYS_TIME),
    CAPABILITY("cap-syslog", CAP_SYSLOG),
    CAPABILITY("cap-bpf", CAP_BPF),
    CAPABILITY("cap-perfmon", CAP_PERFMON),
    CAPABILITY("cap-dac-read-search", CAP_DAC_READ_SEARCH),
    CAPABILITY("cap-mac-admin", CAP_MAC_ADMIN),
    CAPABILITY("cap-mac-override", CAP_MAC_OVERRIDE),
    CAPABILITY("cap-audit-control", CAP_AUDIT_CONTROL),
    CAPABILITY("cap-audit-read", CAP_AUDIT_READ),
    CAPABILITY("cap-wake-alarm", CAP_WAKE_ALARM),
    CAPABILITY("cap-block-suspend", CAP_BLOCK_SUSPEND),
    {"identity/real-time", RealTime},
    {"identity/nice", Nice},
    {"identity/raise-limits", RaiseLimit},
    {"identity/lock-memory", LockMemory},
};
const struct Group kIdentityGroup = PRY_GROUP("identity", kProbes);
