// SPDX-License-Identifier: Apache-2.0
//
// Neighbours that take what the kernel keeps for processes: their numbers, open files, its time.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "burn.h"
#include "line.h"
#include "loopback.h"
#include "timing.h"
#include "worker.h"

static void Stay(void) {
  for (;;) pause();
}

int BurnPids(struct Burn* burn) {
  long most = burn->most ? burn->most : 20000;
  bool said = false;
  uint64_t end = After(kFillSeconds);
  for (long count = 0;;) {
    pid_t pid = count < most ? ForkWorker() : -1;
    if (pid == 0) Stay();
    if (pid > 0) ++count;
    if (pid > 0 && (said || Now() < end)) continue;
    if (count == 0) return errno;
    if (!said) {
      SayNumber("burn/pids/held", "count", (double)count);
      SayBurning(burn);
      said = true;
    }
    poll(NULL, 0, 1);
  }
}

// Opens until it may no more; how many, and whether nobody may any more.
struct Opened {
  long count;
  bool all;
};

static struct Opened Open(long most, uint64_t end) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  struct Opened opened = {0, true};
  for (; opened.count < most && Now() < end; ++opened.count) {
    if (eventfd(0, EFD_CLOEXEC) == -1 && open("/", O_RDONLY | O_CLOEXEC) == -1) {
      opened.all = errno != EMFILE;
      break;
    }
  }
  return opened;
}

int BurnDescriptors(struct Burn* burn) {
  long most = burn->most ? burn->most : 500000;
  struct Opened sum = {0, false};
  uint64_t end = After(kFillSeconds);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) == -1) return errno;
  while (!sum.all) {
    pid_t pid = ForkWorker();
    if (pid == 0) {
      struct Opened opened = Open(most - sum.count, end);
      WriteAll(ends[1], &opened, sizeof opened);
      Stay();
    }
    struct Opened opened;
    if (pid == -1 && sum.count == 0) return errno;
    if (pid == -1 || !ReadAll(ends[0], &opened, sizeof opened)) break;
    sum.count += opened.count;
    sum.all = opened.all || opened.count == 0;
  }
  SayNumber("burn/descriptors/held", "count", (double)sum.count);
  SayBurning(burn);
  Stay();
  return 0;
}

int BurnSyscalls(struct Burn* burn) {
  const char* path = ProgramPath();
  SayBurning(burn);
  for (;;) {
    struct stat status;
    for (int i = 0; i < 16; ++i) syscall(SYS_getppid);
    (void)stat(path, &status);
    (void)stat("/no/such/file", &status);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd != -1) close(fd);
    int* page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) continue;
    *page = 1;
    munmap(page, 4096);
  }
}
