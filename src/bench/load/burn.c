// SPDX-License-Identifier: Apache-2.0
//
// burn KIND: a neighbour that takes as much of one thing as it gets, from `ready` until it is told
// to end (or for --seconds). It leaves neither files nor processes.
//   cpu          computes on every processor, and once more
//   interrupts   timers, and interrupts between processors (membarrier, mprotect)
//   memory       streams through --bytes (256 MiB) on every processor
//   cache        writes into every line of --bytes (32 MiB, all processors together) for ever
//   memory-grow  takes memory until it is killed or has --most bytes (1 GiB), and comes again
//   disk         writes and syncs four files of --bytes (64 MiB) in --directory
//   page-cache   writes and reads two files of --bytes (512 MiB) in --directory
//   inodes       makes --most files (100,000) in --directory, then replaces one after the other
//   network      floods the loopback, TCP and UDP
//   pids         forks until it is refused or has --most processes (20,000), and goes on trying
//   descriptors  opens until it is refused or has --most files (500,000), in as many processes as
//                that takes
//   syscalls     a mix of short system calls on every processor
// Those that take until they are refused say how much they have, after 5 s at the latest:
// `result burn/KIND/held …`.
#include "burn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ending.h"
#include "line.h"
#include "option.h"
#include "subcommands.h"
#include "timing.h"
#include "worker.h"

// How many processes there are: so many, and so many for each processor.
struct Kind {
  const char* name;
  int (*run)(struct Burn* burn);
  long fixed;
  long each;
  bool in_directory;
  bool returns;  // killed for what it took, it comes again
};

static const struct Kind kKinds[] = {
    {"cpu", BurnCpu, 1, 1},
    {"interrupts", BurnInterrupts, 1, 0},
    {"memory", BurnMemory, 0, 1},
    {"cache", BurnCache, 0, 1},
    {"memory-grow", BurnMemoryGrow, 1, 0, .returns = true},
    {"disk", BurnDisk, 4, 0, .in_directory = true},
    {"page-cache", BurnPageCache, 2, 0, .in_directory = true},
    {"inodes", BurnInodes, 1, 0, .in_directory = true},
    {"network", BurnNetwork, 1, 1},
    {"pids", BurnPids, 1, 0},
    {"descriptors", BurnDescriptors, 1, 0},
    {"syscalls", BurnSyscalls, 0, 1},
};
enum { kKindCount = sizeof kKinds / sizeof kKinds[0], kMostWorkers = 1024 };

static const struct Kind* Find(const char* name) {
  for (size_t i = 0; name && i < kKindCount; ++i)
    if (strcmp(kKinds[i].name, name) == 0) return &kKinds[i];
  return NULL;
}

static int RefuseKind(const char* name) {
  char known[256] = "";
  for (size_t i = 0; i < kKindCount; ++i) {
    if (i > 0) strncat(known, ", ", sizeof known - strlen(known) - 1);
    strncat(known, kKinds[i].name, sizeof known - strlen(known) - 1);
  }
  Complain("burn: KIND: expected one of %s, found '%s'", known, name ? name : "nothing");
  return kUsage;
}

void SayBurning(const struct Burn* burn) {
  char byte = 1;
  (void)!write(burn->ready, &byte, 1);
}

struct Fire {
  const struct Kind* kind;
  struct Burn burn;
  pid_t workers[kMostWorkers];
  long count;
  long alive;
  long burning;  // that have said so
  int status;    // of the last that ended
  bool returns;  // what is killed is started again
};

static bool StartWorker(struct Fire* fire, long number) {
  pid_t pid = ForkWorker();
  if (pid == 0) {
    fire->burn.number = number;
    _exit(fire->kind->run(&fire->burn));
  }
  fire->workers[number] = pid;
  if (pid != -1) ++fire->alive;
  return pid != -1;
}

// Takes note of those that ended, and starts those again that come again.
static void Reap(struct Fire* fire) {
  int status = 0;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    for (long i = 0; i < fire->count; ++i) {
      if (fire->workers[i] != pid) continue;
      fire->workers[i] = -1;
      --fire->alive;
      fire->status = status;
      if (!WIFSIGNALED(status) || !fire->returns || Ended()) continue;
      ++fire->burning;  // it had what it could get
      StartWorker(fire, i);
    }
  }
}

static void AwaitBurning(struct Fire* fire, int ready) {
  while (!Ended() && fire->alive > 0 && fire->burning < fire->alive) {
    struct pollfd poller = {.fd = ready, .events = POLLIN};
    char bytes[64];
    ssize_t size = 0;
    if (poll(&poller, 1, 20) == 1) size = read(ready, bytes, sizeof bytes);
    if (size > 0) fire->burning += size;
    Reap(fire);
  }
}

// What it took is gone when this returns, the processes of its processes included.
static void PutOut(struct Fire* fire) {
  fire->returns = false;
  for (long i = 0; i < fire->count; ++i)
    if (fire->workers[i] > 0) kill(fire->workers[i], SIGTERM);
  // Files take their time to be removed.
  for (uint64_t end = After(60); fire->alive > 0 && Now() < end;) {
    Reap(fire);
    if (fire->alive > 0) poll(NULL, 0, 2);
  }
  for (long i = 0; i < fire->count; ++i) EndWorker(fire->workers[i]);
  AwaitAll();
}

static int Burn(struct Fire* fire, double seconds) {
  int ready[2];
  char metric[64];
  snprintf(metric, sizeof metric, "burn/%s", fire->kind->name);
  if (pipe2(ready, O_CLOEXEC | O_NONBLOCK) == -1) return ComplainCall("burn: pipe2", errno);
  AdoptOrphans();
  fire->burn.ready = ready[1];
  fire->returns = fire->kind->returns;
  long wanted = fire->kind->fixed + fire->kind->each * Processors();
  if (wanted > kMostWorkers) wanted = kMostWorkers;
  while (fire->count < wanted && StartWorker(fire, fire->count)) ++fire->count;
  if (fire->count == 0) {
    SayCannotCall(metric, "fork", errno);
    return 0;
  }
  AwaitBurning(fire, ready[0]);
  if (fire->alive > 0 && !Ended()) {
    SayReady();
    for (uint64_t end = seconds > 0 ? After(seconds) : UINT64_MAX; !Ended() && Now() < end;) {
      double left = seconds > 0 ? (double)(end - Now()) / 1e9 : 1;
      WaitForEnd(fire->returns && left > 0.05 ? 0.05 : left);
      Reap(fire);
    }
  } else if (!Ended()) {
    if (WIFEXITED(fire->status))
      SayCannotCall(metric, "its process", WEXITSTATUS(fire->status));
    else
      SayCannot(metric, "its process was killed by signal %d", WTERMSIG(fire->status));
  }
  PutOut(fire);
  return 0;
}

int RunBurn(char** words) {
  const char* name = NULL;
  static struct Fire fire;
  double seconds = 0;
  const struct Option options[] = {
      {.shown = "KIND", .text = &name},
      {"--directory", "D", .text = &fire.burn.directory},
      {"--bytes", "N", .number = &fire.burn.bytes, .least = 1 << 20, .most = 1l << 44},
      {"--most", "N", .number = &fire.burn.most, .least = 1, .most = 1l << 44},
      SECONDS_OPTION(&seconds),
  };
  if (!ReadOptions("burn", options, 5, words)) return kUsage;
  fire.kind = Find(name);
  if (!fire.kind) return RefuseKind(name);
  if (fire.kind->in_directory && !fire.burn.directory) {
    Complain("burn: %s: --directory: expected a path, found nothing", name);
    return kUsage;
  }
  return Burn(&fire, seconds);
}
