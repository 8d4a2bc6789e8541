// SPDX-License-Identifier: Apache-2.0
//
// What a system call costs, by class. Files are memfds or the program itself, so that no disk is in
// it. Round trips are between two processes or threads.
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "line.h"
#include "load.h"
#include "timing.h"

enum { kPage = 4096 };
static const char *self_path;  // of this program

static bool Null(void *state, uint64_t count) {
  (void)state;
  for (uint64_t i = 0; i < count; ++i) syscall(SYS_getppid);
  return true;
}

static bool Clock(void *state, uint64_t count) {
  (void)state;
  struct timespec now;
  for (uint64_t i = 0; i < count; ++i) {
    if (syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now) != 0) return false;
  }
  return true;
}

static bool OpenClose(void *state, uint64_t count) {
  (void)state;
  for (uint64_t i = 0; i < count; ++i) {
    int fd = open(self_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || close(fd) != 0) return false;
  }
  return true;
}

static bool Stat(void *state, uint64_t count) {
  (void)state;
  struct stat about;
  for (uint64_t i = 0; i < count; ++i) {
    if (stat(self_path, &about) != 0) return false;
  }
  return true;
}

static bool Fstat(void *state, uint64_t count) {
  struct stat about;
  for (uint64_t i = 0; i < count; ++i) {
    if (fstat(*(int *)state, &about) != 0) return false;
  }
  return true;
}

static bool Read(void *state, uint64_t count) {
  char bytes[kPage];
  for (uint64_t i = 0; i < count; ++i) {
    if (pread(*(int *)state, bytes, sizeof bytes, 0) != sizeof bytes) return false;
  }
  return true;
}

static bool Write(void *state, uint64_t count) {
  static const char bytes[kPage];
  for (uint64_t i = 0; i < count; ++i) {
    if (pwrite(*(int *)state, bytes, sizeof bytes, 0) != sizeof bytes) return false;
  }
  return true;
}

static bool Poll(void *state, uint64_t count) {
  struct pollfd one = {*(int *)state, POLLIN, 0};
  for (uint64_t i = 0; i < count; ++i) {
    if (poll(&one, 1, 0) < 0) return false;
  }
  return true;
}

static bool Epoll(void *state, uint64_t count) {
  struct epoll_event event;
  for (uint64_t i = 0; i < count; ++i) {
    if (epoll_wait(*(int *)state, &event, 1, 0) < 0) return false;
  }
  return true;
}

static bool MapUnmap(void *state, uint64_t count) {
  (void)state;
  for (uint64_t i = 0; i < count; ++i) {
    void *page = mmap(NULL, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED || munmap(page, kPage) != 0) return false;
  }
  return true;
}

static bool Protect(void *state, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    if (mprotect(state, kPage, (i & 1) != 0 ? PROT_READ : PROT_READ | PROT_WRITE) != 0) return false;
  }
  return true;
}

static void OnSignal(int signal) { (void)signal; }

static bool Signal(void *state, uint64_t count) {
  (void)state;
  for (uint64_t i = 0; i < count; ++i) {
    if (kill(getpid(), SIGUSR1) != 0) return false;
  }
  return true;
}

struct Pipes {
  int there[2], back[2];
};

static bool RoundTrip(void *state, uint64_t count) {
  const struct Pipes *pipes = state;
  char byte = 0;
  for (uint64_t i = 0; i < count; ++i) {
    if (write(pipes->there[1], &byte, 1) != 1 || read(pipes->back[0], &byte, 1) != 1) return false;
  }
  return true;
}

static void MeasurePipe(double seconds) {
  struct Pipes pipes;
  if (pipe2(pipes.there, O_CLOEXEC) != 0 || pipe2(pipes.back, O_CLOEXEC) != 0) {
    CannotErrno("syscall/pipe", "pipe2");
    return;
  }
  pid_t child = fork();
  if (child == 0) {
    char byte;
    close(pipes.there[1]);
    close(pipes.back[0]);
    while (read(pipes.there[0], &byte, 1) == 1) {
      if (write(pipes.back[1], &byte, 1) != 1) break;
    }
    _exit(0);
  }
  if (child < 0) {
    CannotErrno("syscall/pipe", "fork");
  } else {
    close(pipes.there[0]);
    close(pipes.back[1]);
    MeasureBatches("syscall/pipe", RoundTrip, &pipes, seconds);
    close(pipes.there[1]);
    close(pipes.back[0]);
    waitpid(child, NULL, 0);
  }
}

// Whose turn it is: 0 ours, 1 the other thread's, 2 the end.
static atomic_int turn;

static void Await(int mine) {
  int seen;
  while ((seen = atomic_load(&turn)) != mine && seen != 2)
    syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void Pass(int to) {
  atomic_store(&turn, to);
  syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *OtherThread(void *unused) {
  (void)unused;
  while (true) {
    Await(1);
    if (atomic_load(&turn) == 2) return NULL;
    Pass(0);
  }
}

static bool Futex(void *state, uint64_t count) {
  (void)state;
  for (uint64_t i = 0; i < count; ++i) {
    Pass(1);
    Await(0);
  }
  return true;
}

static void MeasureFutex(double seconds) {
  pthread_t thread;
  int error = pthread_create(&thread, NULL, OtherThread, NULL);
  if (error != 0) {
    Cannot("syscall/futex", "pthread_create: %s", strerror(error));
    return;
  }
  MeasureBatches("syscall/futex", Futex, NULL, seconds);
  Pass(2);
  pthread_join(thread, NULL);
}

static bool ForkExit(void *state, uint64_t count) {
  (void)state;
  for (uint64_t i = 0; i < count; ++i) {
    pid_t child = fork();
    if (child == 0) _exit(0);
    if (child < 0 || waitpid(child, NULL, 0) != child) return false;
  }
  return true;
}

static bool ForkExec(void *state, uint64_t count) {
  (void)state;
  char *words[] = {(char[]){"load"}, (char[]){"nothing"}, NULL};
  for (uint64_t i = 0; i < count; ++i) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
      execv(self_path, words);
      _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) return false;
    errno = ENOENT;
    if (status != 0) return false;
  }
  return true;
}

static void MeasureFiles(double seconds) {
  int fd = memfd_create("syscall", MFD_CLOEXEC);
  static const char page[kPage];
  if (fd < 0 || write(fd, page, kPage) != kPage) {
    CannotErrno("syscall/read", "memfd_create");
    return;
  }
  MeasureBatches("syscall/fstat", Fstat, &fd, seconds);
  MeasureBatches("syscall/read", Read, &fd, seconds);
  MeasureBatches("syscall/write", Write, &fd, seconds);
  close(fd);
}

static void MeasureWaits(double seconds) {
  int ends[2], epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN};
  if (pipe2(ends, O_CLOEXEC) != 0) {
    CannotErrno("syscall/poll", "pipe2");
    return;
  }
  MeasureBatches("syscall/poll", Poll, ends, seconds);
  if (epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event) == 0) {
    MeasureBatches("syscall/epoll", Epoll, &epoll, seconds);
  } else {
    CannotErrno("syscall/epoll", "epoll_ctl");
  }
  close(ends[0]);
  close(ends[1]);
  close(epoll);
}

int Syscall(int count, char **words) {
  const char *seconds_text = "3";
  double seconds;
  const struct Option options[] = {{"--seconds", &seconds_text}};
  if (!ReadOptions(count, words, options, 1, NULL) ||
      !ReadNumber("--seconds", seconds_text, 0.01, 3600, &seconds)) {
    return 2;
  }
  // By its path where there is one: /proc/self/exe is a link whose way costs more.
  static char path[kPage];
  ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
  self_path = size > 0 && access(path, X_OK) == 0 ? path : "/load";
  double each = seconds / 16;
  MeasureBatches("syscall/null", Null, NULL, each);
  MeasureBatches("syscall/clock_gettime", Clock, NULL, each);
  MeasureBatches("syscall/open-close", OpenClose, NULL, each);
  MeasureBatches("syscall/stat", Stat, NULL, each);
  MeasureFiles(each);
  MeasureWaits(each);
  MeasureBatches("syscall/mmap-munmap", MapUnmap, NULL, each);
  void *page = mmap(NULL, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page != MAP_FAILED) MeasureBatches("syscall/mprotect", Protect, page, each);
  struct sigaction action = {.sa_handler = OnSignal};
  sigaction(SIGUSR1, &action, NULL);
  MeasureBatches("syscall/signal", Signal, NULL, each);
  MeasurePipe(each);
  MeasureFutex(each);
  MeasureBatches("syscall/fork-exit", ForkExit, NULL, each);
  MeasureBatches("syscall/fork-exec", ForkExec, NULL, each);
  End();
  return 0;
}
