// SPDX-License-Identifier: Apache-2.0
//
// Memory: the kernel's, the host's System V and POSIX objects, and what of the machine's memory as
// a whole can be seen or steered.
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "pry.h"

// The segment begins with the token; behind it is room to write.
static enum Verdict InSegment(const struct Probe* probe, int id) {
  if (id < 0) return Failed("shmget", errno);
  char* bytes = shmat(id, NULL, probe->finds == kSees ? SHM_RDONLY : 0);
  if (bytes == (char*)-1) return Failed("shmat", errno);  // NOLINT: what shmat(2) returns
  const int found = HasToken(bytes, 64);
  if (found && probe->finds == kTouches) bytes[100] = 1;
  shmdt(bytes);
  if (!found) return Closed("segment %d is not the host's", id);
  return probe->finds == kSees ? Sees("segment %d holds the host's secret", id)
                               : Touches("wrote to the host's segment %d", id);
}

static enum Verdict SegmentByKey(const struct Probe* probe) {
  if (Marker("shm-key") == NULL) return Unknown("no segment was planted");
  return InSegment(probe, shmget((key_t)MarkerNumber("shm-key"), 0, 0));
}

static enum Verdict SegmentById(const struct Probe* probe) {
  if (Marker("shm-id") == NULL) return Unknown("no segment was planted");
  struct shmid_ds about;
  const int id = (int)MarkerNumber("shm-id");
  // EINVAL here is "no such id", and a new IPC namespace counts from 0 again.
  if (shmctl(id, IPC_STAT, &about) != 0)
    return errno == EINVAL ? Closed("no segment %d", id) : Failed("shmctl", errno);
  return InSegment(probe, id);
}

static enum Verdict SegmentList(const struct Probe* probe) {
  (void)probe;
  if (Marker("shm-key") == NULL) return Unknown("no segment was planted");
  char bytes[16384], key[32];
  const ssize_t size = ReadFile("/proc/sysvipc/shm", bytes, sizeof(bytes));
  if (size < 0) return Failed("/proc/sysvipc/shm", errno);
  snprintf(key, sizeof(key), "\n%10d ", (int)MarkerNumber("shm-key"));
  return strstr(bytes, key) != NULL ? Sees("/proc/sysvipc/shm lists the host's segment")
                                    : Closed("/proc/sysvipc/shm has no segment of the host");
}

// Semaphores have no room for a secret: the key is drawn, and the planted value with it.
static enum Verdict Semaphores(const struct Probe* probe) {
  (void)probe;
  if (Marker("sem-key") == NULL) return Unknown("no semaphores were planted");
  const int id = semget((key_t)MarkerNumber("sem-key"), 0, 0);
  if (id < 0) return Failed("semget", errno);
  const int value = semctl(id, 0, GETVAL);
  if (value < 0) return Failed("semctl", errno);
  if (value != MarkerNumber("sem-value"))
    return Closed("semaphores of this key, but not the host's");
  struct sembuf add = {.sem_num = 1, .sem_op = 1, .sem_flg = IPC_NOWAIT};
  if (semop(id, &add, 1) == 0) return Touches("added to the host's semaphore");
  return Sees("the value of the host's semaphore");
}

static enum Verdict Messages(const struct Probe* probe) {
  (void)probe;
  if (Marker("msg-key") == NULL) return Unknown("no message queue was planted");
  const int id = msgget((key_t)MarkerNumber("msg-key"), 0);
  if (id < 0) return Failed("msgget", errno);
  struct {
    long type;
    char text[8];
  } message = {.type = 1, .text = "pry"};
  if (msgsnd(id, &message, sizeof(message.text), IPC_NOWAIT) != 0) return Failed("msgsnd", errno);
  return Touches("sent to the host's message queue %d", id);
}

static enum Verdict PosixMemory(const struct Probe* probe) {
  const char* name = Marker("posix-shm");
  if (name == NULL) return Unknown("no shared memory was planted");
  char path[256];
  snprintf(path, sizeof(path), "/dev/shm/%s", name);
  const enum Verdict seen = AskForToken(AT_FDCWD, path);
  if (seen != kSees || probe->finds == kSees) return seen;
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return Failed(path, errno);
  if (pwrite(fd, "\1", 1, 100) != 1) return Failed(path, errno);
  return Touches("wrote to %s", path);
}

static enum Verdict PosixQueue(const struct Probe* probe) {
  (void)probe;
  const char* name = Marker("mqueue");
  if (name == NULL) return Unknown("no message queue was planted");
  const mqd_t queue = mq_open(name, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (queue < 0) return Failed("mq_open", errno);
  if (mq_send(queue, "pry", 3, 0) != 0) return Failed("mq_send", errno);
  return Touches("sent to the host's queue %s", name);
}

// A line with an address that is not hidden (%pK prints zeros to who may not see).
static enum Verdict Addresses(const struct Probe* probe) {
  char bytes[8192];
  const ssize_t size = ReadFile(probe->path, bytes, sizeof(bytes));
  if (size < 0) return Failed(probe->path, errno);
  if (size == 0) return Closed("%s is empty", probe->path);
  for (const char* line = bytes; line != NULL && *line != '\0';) {
    char* end;
    const unsigned long long first = strtoull(line, &end, 16);
    const unsigned long long last = *end == '-' ? strtoull(end + 1, NULL, 16) : 0;
    if (first != 0 || last != 0) return Reached(kSees, "%s tells addresses", probe->path);
    line = strchr(line, '\n');
    if (line != NULL) line++;
  }
  return Closed("%s has its addresses zeroed", probe->path);
}

static enum Verdict Total(const struct Probe* probe) {
  (void)probe;
  struct sysinfo about;
  if (Marker("memory-total") == NULL) return Unknown("the host's memory was not told");
  if (sysinfo(&about) != 0) return Failed("sysinfo", errno);
  const unsigned long long total = (unsigned long long)about.totalram * about.mem_unit;
  if (total == strtoull(Marker("memory-total"), NULL, 10))
    return Sees("sysinfo tells the host's memory: %llu bytes", total);
  return Closed("sysinfo tells %llu bytes, the host has others", total);
}

static enum Verdict TotalInProc(const struct Probe* probe) {
  (void)probe;
  char bytes[4096];
  if (Marker("memory-total") == NULL) return Unknown("the host's memory was not told");
  if (ReadFile("/proc/meminfo", bytes, sizeof(bytes)) < 0) return Failed("/proc/meminfo", errno);
  const char* line = strstr(bytes, "MemTotal:");
  if (line == NULL) return Closed("/proc/meminfo has no total");
  const unsigned long long total = strtoull(line + 9, NULL, 10) * 1024;
  if (total == strtoull(Marker("memory-total"), NULL, 10))
    return Sees("/proc/meminfo tells the host's memory: %llu bytes", total);
  return Closed("/proc/meminfo tells %llu bytes, the host has others", total);
}

// The permission is asked for before the name is looked up (swapon(2)).
static enum Verdict Swap(const struct Probe* probe) {
  (void)probe;
  if (swapon("/.kiste-none/none", 0) == 0) return Unknown("swapped to a file that is not there");
  if (errno != ENOENT && errno != ENOTDIR) return Failed("swapon", errno);
  return Reached(kTouches, "swapon is permitted");
}

static const struct Probe kProbes[] = {
    {"memory/dev-mem", AskDevice, "/dev/mem", kTouches, 1, 1},
    {"memory/dev-kmem", AskDevice, "/dev/kmem", kTouches, 1, 2},
    {"memory/kcore", AskReadable, "/proc/kcore", kSees},
    {"memory/kallsyms", Addresses, "/proc/kallsyms", kSees},
    {"memory/modules", AskReadable, "/proc/modules", kSees},
    {"memory/iomem", Addresses, "/proc/iomem", kSees},
    {"memory/ioports", Addresses, "/proc/ioports", kSees},
    {"memory/vmallocinfo", AskReadable, "/proc/vmallocinfo", kSees},
    {"memory/slabinfo", AskReadable, "/proc/slabinfo", kSees},
    {"memory/buddyinfo", AskReadable, "/proc/buddyinfo", kSees},
    {"memory/pagetypeinfo", AskReadable, "/proc/pagetypeinfo", kSees},
    {"memory/zoneinfo", AskReadable, "/proc/zoneinfo", kSees},
    {"memory/vmstat", AskReadable, "/proc/vmstat", kSees},
    {"memory/kpageflags", AskReadable, "/proc/kpageflags", kSees},
    {"memory/kpagecount", AskReadable, "/proc/kpagecount", kSees},
    {"memory/swaps", AskReadable, "/proc/swaps", kSees},
    {"memory/swapon", Swap},
    {"memory/ksm", AskWritable, "/sys/kernel/mm/ksm/run", kTouches},
    {"memory/transparent-hugepages", AskWritable, "/sys/kernel/mm/transparent_hugepage/enabled",
     kTouches},
    {"memory/drop-caches", AskWritable, "/proc/sys/vm/drop_caches", kTouches},
    {"memory/compact", AskWritable, "/proc/sys/vm/compact_memory", kTouches},
    {"memory/total", Total},
    {"memory/total-in-proc", TotalInProc},
    {"memory/sysv-shm", SegmentByKey, NULL, kSees},
    {"memory/sysv-shm-write", SegmentByKey, NULL, kTouches},
    {"memory/sysv-shm-by-id", SegmentById, NULL, kSees},
    {"memory/sysv-shm-list", SegmentList},
    {"memory/sysv-sem", Semaphores},
    {"memory/sysv-msg", Messages},
    {"memory/posix-shm", PosixMemory, NULL, kSees},
    {"memory/posix-shm-write", PosixMemory, NULL, kTouches},
    {"memory/posix-mqueue", PosixQueue},
};
const struct Group kMemoryGroup = PRY_GROUP("memory", kProbes);
