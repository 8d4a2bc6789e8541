// SPDX-License-Identifier: Apache-2.0
//
// victim: what a well-behaved neighbour feels. Each millisecond it does a little of everything that
// others can take from it, the same amount each time, and says how long that took: p50, p99 and max
// in nanoseconds. It says `ready` when it begins.
//   victim/wake     how late a sleep until a certain moment ends
//   victim/cpu      a fixed slice of computing
//   victim/memory   a walk over 1 MiB
//   victim/syscall  open, stat and close of paths
//   victim/loopback a round trip over TCP to another process
//   victim/fork     fork and wait, each 64 ms
//   victim/disk     4 KiB and its fdatasync in --directory, each 16 ms
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ending.h"
#include "line.h"
#include "loopback.h"
#include "option.h"
#include "scratch.h"
#include "subcommands.h"
#include "timing.h"
#include "worker.h"

enum {
  kTick = 1000000,
  kCpuSteps = 60000,  // about 100 µs; never calibrated: that would hide what others take
  kWalkBytes = 1 << 20,
  kSamples = 1 << 14,
};

struct Victim {
  char* walked;
  const char* path;
  int peer;  // of the round trip, or -1
  int file;  // or -1
  pid_t echo;
};

static bool Compute(struct Victim* victim) {
  (void)victim;
  uint64_t value = 1;
  for (int i = 0; i < kCpuSteps; ++i) value = (value ^ (value >> 29)) * 0xbf58476d1ce4e5b9u + 1;
  __asm__ volatile("" : "+m"(value));
  return true;
}

static bool Walk(struct Victim* victim) {
  unsigned sum = 0;
  for (size_t at = 0; at < kWalkBytes; at += 64) sum += (unsigned char)victim->walked[at];
  __asm__ volatile("" : "+m"(sum));
  return true;
}

static bool LookUp(struct Victim* victim) {
  struct stat status;
  int fd = open(victim->path, O_RDONLY | O_CLOEXEC);
  if (fd == -1) return false;
  close(fd);
  (void)stat("/no/such/file", &status);
  return stat(victim->path, &status) == 0;
}

static bool RoundTrip(struct Victim* victim) {
  char byte = 0;
  return WriteAll(victim->peer, &byte, 1) && ReadAll(victim->peer, &byte, 1);
}

static bool ForkAndWait(struct Victim* victim) {
  (void)victim;
  pid_t pid = fork();
  if (pid == 0) _exit(0);
  if (pid == -1) return false;
  while (waitpid(pid, NULL, 0) == -1)
    if (errno != EINTR) return false;
  return true;
}

static bool WriteOut(struct Victim* victim) {
  return pwrite(victim->file, victim->walked, 4096, 0) == 4096 && fdatasync(victim->file) == 0;
}

struct Part {
  const char* metric;
  bool (*deed)(struct Victim*);
  unsigned every;  // ticks; 0: not at all
  int error;       // of the last time that it failed
  uint64_t failed;
  struct Samples samples;
};

static void Feel(struct Part* part, struct Victim* victim) {
  uint64_t begin = Now();
  if (part->deed(victim)) {
    AddSample(&part->samples, (double)(Now() - begin));
  } else {
    part->error = errno;
    ++part->failed;
  }
}

static void Say(struct Part* part) {
  char metric[64];
  if (part->failed > 0)
    SayCannot(part->metric, "%llu of %llu times: %s (%s)", (unsigned long long)part->failed,
              (unsigned long long)part->failed + part->samples.seen, strerror(part->error),
              strerrorname_np(part->error));
  if (part->samples.count == 0) return;
  SayQuantiles(part->metric, &part->samples, false);
  snprintf(metric, sizeof metric, "%s/max", part->metric);
  SayNumber(metric, "ns", part->samples.greatest);
}

// A process that sends back what it gets; false with errno where there is no loopback.
static bool StartEcho(struct Victim* victim) {
  BringLoopbackUp();
  struct Address address = Loopback();
  int listener = Bind(SOCK_STREAM, &address);
  if (listener == -1) return false;
  victim->echo = ForkWorker();
  if (victim->echo == 0) {
    int fd = accept(listener, NULL, NULL);
    if (fd != -1) WithoutDelay(fd);
    char byte = 0;
    while (ReadAll(fd, &byte, 1) && WriteAll(fd, &byte, 1)) continue;
    _exit(0);
  }
  if (victim->echo != -1) victim->peer = Connect(SOCK_STREAM, &address);
  int error = errno;
  close(listener);
  errno = error;
  return victim->peer != -1;
}

static uint64_t SleepUntil(uint64_t moment, struct Samples* lateness) {
  struct timespec until = {(time_t)(moment / 1000000000), (long)(moment % 1000000000)};
  int error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
  uint64_t now = Now();
  if (error == 0) AddSample(lateness, (double)(now - moment));
  return now;
}

static void Live(struct Victim* victim, struct Part* parts, size_t count, struct Samples* lateness,
                 double seconds) {
  uint64_t end = After(seconds);
  uint64_t next = Now() + kTick;
  for (unsigned tick = 1; !Ended(); ++tick) {
    if (SleepUntil(next, lateness) >= end) return;
    for (size_t i = 0; i < count; ++i)
      if (parts[i].every > 0 && tick % parts[i].every == 0) Feel(&parts[i], victim);
    // What was missed is not made up for.
    uint64_t now = Now();
    next = next + kTick > now ? next + kTick : now + kTick;
  }
}

int RunVictim(char** words) {
  const char* directory = NULL;
  double seconds = 10;
  const struct Option options[] = {
      {"--directory", "D", .text = &directory},
      SECONDS_OPTION(&seconds),
  };
  if (!ReadOptions("victim", options, 2, words)) return kUsage;
  struct Victim victim = {.path = ProgramPath(), .peer = -1, .file = -1, .echo = -1};
  struct Samples lateness;
  struct Part parts[] = {
      {"victim/cpu", Compute, 1},       {"victim/memory", Walk, 1},
      {"victim/syscall", LookUp, 1},    {"victim/loopback", RoundTrip, 1},
      {"victim/fork", ForkAndWait, 64}, {"victim/disk", WriteOut, 16},
  };
  enum { kParts = sizeof parts / sizeof parts[0], kLoopbackPart = 3, kDiskPart = 5 };
  bool good = StartSamples(&lateness, kSamples) && (victim.walked = malloc(kWalkBytes)) != NULL;
  for (size_t i = 0; i < kParts && good; ++i) good = StartSamples(&parts[i].samples, kSamples);
  if (!good) return ComplainCall("victim: malloc", errno);  // NOLINT: the process ends
  memset(victim.walked, 1, kWalkBytes);
  if (!StartEcho(&victim)) {
    SayCannotCall("victim/loopback", "a server on the loopback", errno);
    parts[kLoopbackPart].every = 0;
  }
  if (directory) victim.file = OpenScratch(directory, NULL);
  if (directory && victim.file == -1) SayCannotCall("victim/disk", "a file in --directory", errno);
  if (victim.file == -1) parts[kDiskPart].every = 0;
  SayReady();
  Live(&victim, parts, kParts, &lateness, seconds);
  EndWorker(victim.echo);
  struct Part wake = {.metric = "victim/wake", .samples = lateness};
  Say(&wake);
  for (size_t i = 0; i < kParts; ++i) Say(&parts[i]);
  return 0;
}
