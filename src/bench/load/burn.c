// SPDX-License-Identifier: Apache-2.0
//
// Neighbours that take as much of one thing as they get, until SIGTERM: the isolation benchmark
// suite's bad tenants, and those that share what it did not look at (names, descriptors,
// interrupts, the page cache). Each says `ready` when it is at it, and leaves nothing behind.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "line.h"
#include "load.h"
#include "loopback.h"
#include "timing.h"

enum { kMostWorkers = 64, kBlock = 1 << 20 };

struct Burn {
  const char *directory;
  int most;
  int worker;  // which one this is
};

static volatile uint64_t sink;

static void BurnCpu(const struct Burn *burn) {
  (void)burn;
  uint64_t hash = 1;
  while (!Ended()) {
    for (int i = 0; i < 1000000; ++i) hash = hash * 6364136223846793005u + 1442695040888963407u;
    sink = hash;
  }
}

static void BurnMemory(const struct Burn *burn) {
  (void)burn;
  size_t size = (size_t)128 << 20;
  char *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  while (area != MAP_FAILED && !Ended()) memcpy(area, area + size / 2, size / 2);
}

static void BurnSyscalls(const struct Burn *burn) {
  (void)burn;
  while (!Ended()) {
    for (int i = 0; i < 1000; ++i) syscall(SYS_getppid);
  }
}

static void PathOf(const struct Burn *burn, char *path, int number) {
  snprintf(path, PATH_MAX, "%.3900s/load-burn-%d-%d", burn->directory, (int)getpid(), number);
}

static void BurnFile(const struct Burn *burn, bool sync, uint64_t bytes) {
  char path[PATH_MAX], *block = malloc(kBlock);
  PathOf(burn, path, 0);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || block == NULL) return;
  unlink(path);  // gone with us, however we end
  memset(block, 'b', kBlock);
  for (uint64_t at = 0; !Ended(); at = (at + kBlock) % bytes) {
    if (pwrite(fd, block, kBlock, (off_t)at) != kBlock) SleepNs(1000000);
    if (sync) fdatasync(fd);
    if (!sync && pread(fd, block, kBlock, (off_t)((at * 7) % bytes)) < 0) break;
  }
  close(fd);
}

static void BurnDisk(const struct Burn *burn) { BurnFile(burn, true, (uint64_t)64 << 20); }
static void BurnPageCache(const struct Burn *burn) { BurnFile(burn, false, (uint64_t)1 << 30); }

static void BurnNetwork(const struct Burn *burn) {
  (void)burn;
  struct sockaddr_in address;
  static char block[64 << 10];
  BringLoopbackUp();
  int listener = ListenOn(htonl(INADDR_LOOPBACK), 0, &address);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) return;
  int other = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (fork() == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    while (read(other, block, sizeof block) > 0) {
    }
    _exit(0);
  }
  while (!Ended() && write(fd, block, sizeof block) > 0) {
  }
}

// A fork bomb that knows where to stop; children die with their parent.
static void BurnPids(const struct Burn *burn) {
  int alive = 0;
  while (!Ended()) {
    pid_t child = alive < burn->most ? fork() : -1;
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
      signal(SIGTERM, SIG_DFL);
      if (getppid() == 1 && burn->worker >= 0) _exit(0);
      pause();
      _exit(0);
    }
    if (child > 0) {
      ++alive;
      continue;
    }
    // As many as there can be: from now on each that goes makes room for another.
    for (int i = 0; i < 64 && alive > 0; ++i, --alive) {
      siginfo_t info;
      memset(&info, 0, sizeof info);
      if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) break;
    }
    for (int i = 0; i < 64 && !Ended(); ++i) {
      pid_t fleeting = fork();
      if (fleeting == 0) _exit(0);
      if (fleeting > 0) waitpid(fleeting, NULL, 0);
    }
  }
}

static void BurnInodes(const struct Burn *burn) {
  char path[PATH_MAX];
  int number = 0;
  while (!Ended()) {
    PathOf(burn, path, number % burn->most);
    if (number >= burn->most) unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
    ++number;
  }
  for (int i = 0; i < number && i < burn->most; ++i) {
    PathOf(burn, path, i);
    unlink(path);
  }
}

static void BurnDescriptors(const struct Burn *burn) {
  (void)burn;
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  int last = -1, fd;
  while (!Ended()) {
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
      last = fd;
    } else if (last >= 0) {
      close(last);  // and again
      last = -1;
    } else {
      SleepNs(1000000);
    }
  }
}

static void OnTimer(int signal) { (void)signal; }

static void *Flip(void *page) {
  // Each change of a mapping interrupts the processors on which the process's other threads run.
  while (!Ended()) {
    mprotect(page, 4096, PROT_READ);
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
    *(volatile char *)page = 1;
  }
  return NULL;
}

static void BurnInterrupts(const struct Burn *burn) {
  struct sigaction action = {.sa_handler = OnTimer, .sa_flags = SA_RESTART};
  struct itimerval often = {{0, 50}, {0, 50}};
  pthread_t thread;
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &often, NULL);
  if (page == MAP_FAILED || pthread_create(&thread, NULL, Flip, page) != 0) return;
  BurnCpu(burn);
  pthread_join(thread, NULL);
}

enum { kEveryProcessor = 0 };
static const struct {
  const char *kind;
  void (*deed)(const struct Burn *);
  int workers;  // kEveryProcessor: one for each and one more
  bool needs_directory;
} kKinds[] = {
    {"cpu", BurnCpu, kEveryProcessor, false},
    {"memory", BurnMemory, kEveryProcessor, false},
    {"syscalls", BurnSyscalls, kEveryProcessor, false},
    {"disk", BurnDisk, 2, true},
    {"page-cache", BurnPageCache, 1, true},
    {"network", BurnNetwork, 2, false},
    {"pids", BurnPids, 1, false},
    {"inodes", BurnInodes, 2, true},
    {"descriptors", BurnDescriptors, 2, false},
    {"interrupts", BurnInterrupts, kEveryProcessor, false},
};

static int BurnKind(size_t kind, struct Burn *burn) {
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  int workers = kKinds[kind].workers;
  if (workers == kEveryProcessor) workers = (int)(processors < 1 ? 1 : processors) + 1;
  if (workers > kMostWorkers) workers = kMostWorkers;
  pid_t children[kMostWorkers];
  CatchEnd();
  for (int i = 0; i < workers; ++i) {
    children[i] = fork();
    if (children[i] == 0) {
      prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
      burn->worker = i;
      kKinds[kind].deed(burn);
      _exit(0);
    }
  }
  SleepNs(100000000);  // time to get going
  Ready();
  WaitForEnd();
  for (int i = 0; i < workers; ++i) {
    if (children[i] > 0) kill(children[i], SIGTERM);
  }
  for (int i = 0; i < workers; ++i) {
    if (children[i] > 0) waitpid(children[i], NULL, 0);
  }
  End();
  return 0;
}

int Burn(int count, char **words) {
  const char *kind = NULL, *most_text = "20000";
  struct Burn burn = {0};
  double most;
  const struct Option options[] = {{"--directory", &burn.directory}, {"--most", &most_text}};
  if (!ReadOptions(count, words, options, 2, &kind) ||
      !ReadNumber("--most", most_text, 1, 1e6, &most)) {
    return 2;
  }
  burn.most = (int)most;
  for (size_t i = 0; kind != NULL && i < sizeof kKinds / sizeof *kKinds; ++i) {
    if (strcmp(kind, kKinds[i].kind) != 0) continue;
    if (kKinds[i].needs_directory && burn.directory == NULL)
      return WrongUse("load burn %s: expected --directory", kind);
    return BurnKind(i, &burn);
  }
  return WrongUse("load burn: expected a known kind, found %s", kind != NULL ? kind : "none");
}
