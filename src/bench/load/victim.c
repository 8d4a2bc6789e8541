// SPDX-License-Identifier: Apache-2.0
//
// What a neighbour's greed does to somebody who wants little: every millisecond a wake-up by the
// clock, then short pieces of work, each timed. Medians say what throughput is lost, 99th
// percentiles what a user waits.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "line.h"
#include "load.h"
#include "loopback.h"
#include "timing.h"

enum { kWake, kProcessor, kWalk, kFault, kNames, kFork, kSync, kTrip, kProbes };
static const char *const kNamesOfProbes[kProbes] = {
    "victim/wake",  "victim/cpu",  "victim/memory", "victim/page-fault",
    "victim/names", "victim/fork", "victim/sync",   "victim/round-trip"};

enum { kArea = 1 << 20, kLine = 64, kPeriod = 1000000 };

struct Victim {
  struct Latencies probes[kProbes];
  volatile char *area;
  int file;        // -1: none
  int link[2];     // a TCP connection to ourselves, -1: none
  uint64_t turns;
};

static volatile uint64_t sink;

static void Work(void) {
  uint64_t hash = 1;
  for (int i = 0; i < 30000; ++i) hash = hash * 6364136223846793005u + 1442695040888963407u;
  sink = hash;
}

static void Walk(struct Victim *victim) {
  for (size_t at = 0; at < kArea; at += kLine) ++victim->area[at];
}

static void Fault(struct Victim *victim) {
  (void)victim;
  char *pages = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return;
  for (int i = 0; i < 16; ++i) *(volatile char *)(pages + i * 4096) = 1;
  munmap(pages, 16 * 4096);
}

static void LookUp(struct Victim *victim) {
  struct stat about;
  char path[32];
  // A name that is there, and one that nobody has asked for yet: both sides of the dentry cache.
  stat("/", &about);
  snprintf(path, sizeof path, "/none-%u", (unsigned)(victim->turns % 100000));
  stat(path, &about);
}

static void ForkOnce(struct Victim *victim) {
  (void)victim;
  pid_t child = fork();
  if (child == 0) _exit(0);
  if (child > 0) waitpid(child, NULL, 0);
}

static void Sync(struct Victim *victim) {
  static const char bytes[4096];
  if (pwrite(victim->file, bytes, sizeof bytes, 0) == sizeof bytes) fdatasync(victim->file);
}

static void Trip(struct Victim *victim) {
  char byte = 0;
  if (write(victim->link[0], &byte, 1) == 1 && read(victim->link[1], &byte, 1) == 1)
    sink += (uint64_t)byte;
}

static void Time(struct Victim *victim, int probe, void (*deed)(struct Victim *)) {
  uint64_t before = NowNs();
  deed(victim);
  AddLatency(&victim->probes[probe], NowNs() - before);
}

static void WorkDeed(struct Victim *victim) {
  (void)victim;
  Work();
}

static void Turn(struct Victim *victim, uint64_t due) {
  struct timespec time = {(time_t)(due / 1000000000u), (long)(due % 1000000000u)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR) {
  }
  uint64_t now = NowNs();
  AddLatency(&victim->probes[kWake], now > due ? now - due : 0);
  Time(victim, kProcessor, WorkDeed);
  Time(victim, kWalk, Walk);
  if (victim->turns % 4 == 0) Time(victim, kFault, Fault);
  if (victim->turns % 4 == 1) Time(victim, kNames, LookUp);
  if (victim->turns % 16 == 2) Time(victim, kFork, ForkOnce);
  if (victim->turns % 16 == 3 && victim->file >= 0) Time(victim, kSync, Sync);
  if (victim->turns % 2 == 0 && victim->link[0] >= 0) Time(victim, kTrip, Trip);
  ++victim->turns;
}

static void ConnectToSelf(struct Victim *victim) {
  struct sockaddr_in address;
  BringLoopbackUp();
  victim->link[0] = victim->link[1] = -1;
  int listener = ListenOn(htonl(INADDR_LOOPBACK), 0, &address);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener >= 0 && fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
    victim->link[0] = fd;
    victim->link[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (victim->link[1] >= 0) return;
  }
  CannotErrno(kNamesOfProbes[kTrip], "connect to 127.0.0.1");
  victim->link[0] = -1;
}

static void OpenFile(struct Victim *victim, const char *directory, char *path, size_t size) {
  victim->file = -1;
  if (directory == NULL) {
    Cannot(kNamesOfProbes[kSync], "no --directory");
    return;
  }
  snprintf(path, size, "%s/load-victim-%d", directory, (int)getpid());
  victim->file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (victim->file < 0) CannotErrno(kNamesOfProbes[kSync], path);
}

int Victim(int count, char **words) {
  const char *seconds_text = "3", *directory = NULL;
  double seconds;
  const struct Option options[] = {{"--seconds", &seconds_text}, {"--directory", &directory}};
  if (!ReadOptions(count, words, options, 2, NULL) ||
      !ReadNumber("--seconds", seconds_text, 0.01, 3600, &seconds)) {
    return 2;
  }
  static struct Victim victim;
  static char path[PATH_MAX];
  victim.area = malloc(kArea);
  for (int i = 0; i < kProbes; ++i) {
    if (victim.area == NULL || !MakeLatencies(&victim.probes[i]))
      return FailWith("load victim: no memory");
  }
  CatchEnd();
  ConnectToSelf(&victim);
  OpenFile(&victim, directory, path, sizeof path);
  Ready();
  uint64_t due = NowNs(), end = due + (uint64_t)(seconds * 1e9);
  while (due < end && !Ended()) {
    // By the clock, but always ahead: how long our own work took is not lateness.
    uint64_t now = NowNs();
    due += kPeriod;
    if (due < now + kPeriod / 4) due = now + kPeriod / 4;
    Turn(&victim, due);
  }
  if (victim.file >= 0) unlink(path);
  for (int i = 0; i < kProbes; ++i) {
    if (victim.probes[i].count > 0) ReportLatencies(&victim.probes[i], kNamesOfProbes[i], true);
  }
  End();
  return 0;
}
