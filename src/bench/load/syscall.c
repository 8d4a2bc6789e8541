// SPDX-License-Identifier: Apache-2.0
//
// syscall: what one call costs, by class, in nanoseconds.
//   syscall/null            getppid(2)
//   syscall/clock           clock_gettime(2) as a system call; /clock-vdso as the C library does it
//   syscall/open, /stat     open and close, stat of the program's own path; /fstat of a descriptor
//   syscall/read, /write    4 KiB of a file in memory (memfd)
//   syscall/poll, /epoll    one descriptor, which is readable
//   syscall/mmap            mmap and munmap of an untouched page; /mprotect of a touched one
//   syscall/pipe, /futex    a round trip between two processes, and between two threads
//   syscall/fork            fork, _exit, wait; /exec: fork, execve of this program, wait
//   syscall/signal          a signal to oneself and its handler
#include "syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "ending.h"
#include "line.h"
#include "option.h"
#include "subcommands.h"
#include "timing.h"
#include "worker.h"

enum { kPage = 4096 };

// The body of a deed: `call` is true when it failed.
#define DEED(name, call)                        \
  static int name(void* with, uint64_t times) { \
    const int* fd = with;                       \
    (void)fd;                                   \
    for (uint64_t i = 0; i < times; ++i)        \
      if (call) return errno;                   \
    return 0;                                   \
  }

static char page[kPage];
static const char* path;

static bool OpenClose(void) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  return fd == -1 || close(fd) == -1;
}

static bool MapUnmap(void) {
  void* begin = mmap(NULL, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return begin == MAP_FAILED || munmap(begin, kPage) == -1;
}

static bool Poll(int fd) {
  struct pollfd poller = {.fd = fd, .events = POLLIN};
  return poll(&poller, 1, 0) == -1;
}

static struct timespec moment;
static struct stat status;
static struct epoll_event event;

DEED(Null, syscall(SYS_getppid) == -1)
DEED(Clock, syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &moment) == -1)
DEED(ClockVdso, clock_gettime(CLOCK_MONOTONIC, &moment) == -1)
DEED(Open, OpenClose())
DEED(Stat, stat(path, &status) == -1)
DEED(Fstat, fstat(*fd, &status) == -1)
DEED(Read, pread(*fd, page, kPage, 0) == -1)
DEED(Write, pwrite(*fd, page, kPage, 0) == -1)
DEED(PollOne, Poll(*fd))
DEED(EpollOne, epoll_wait(*fd, &event, 1, 0) == -1)
DEED(Mmap, MapUnmap())

static int Mprotect(void* with, uint64_t times) {
  for (uint64_t i = 0; i < times; ++i) {
    int protection = i % 2 ? PROT_READ | PROT_WRITE : PROT_READ;
    if (mprotect(with, kPage, protection) == -1) return errno;
  }
  return 0;
}

static void MeasureFiles(double share) {
  path = ProgramPath();
  Measure((struct Figure){"syscall/open", "ns"}, Open, NULL, share);
  Measure((struct Figure){"syscall/stat", "ns"}, Stat, NULL, share);
  int fd = memfd_create("load", MFD_CLOEXEC);
  if (fd == -1 || pwrite(fd, page, kPage, 0) != kPage) {
    int error = errno;
    SayCannotCall("syscall/fstat", "memfd_create", error);
    SayCannotCall("syscall/read", "memfd_create", error);
    SayCannotCall("syscall/write", "memfd_create", error);
  } else {
    Measure((struct Figure){"syscall/fstat", "ns"}, Fstat, &fd, share);
    Measure((struct Figure){"syscall/read", "ns"}, Read, &fd, share);
    Measure((struct Figure){"syscall/write", "ns"}, Write, &fd, share);
  }
  if (fd != -1) close(fd);
}

static void MeasureReadiness(double share) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) == -1 || write(ends[1], page, 1) != 1) {
    SayCannotCall("syscall/poll", "pipe2", errno);
    SayCannotCall("syscall/epoll", "pipe2", errno);
    return;
  }
  Measure((struct Figure){"syscall/poll", "ns"}, PollOne, &ends[0], share);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event readable = {.events = EPOLLIN};
  if (epoll == -1 || epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &readable) == -1)
    SayCannotCall("syscall/epoll", "epoll_create1", errno);
  else
    Measure((struct Figure){"syscall/epoll", "ns"}, EpollOne, &epoll, share);
  if (epoll != -1) close(epoll);
  close(ends[0]);
  close(ends[1]);
}

static void MeasureMappings(double share) {
  Measure((struct Figure){"syscall/mmap", "ns"}, Mmap, NULL, share);
  char* touched = mmap(NULL, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (touched == MAP_FAILED) {
    SayCannotCall("syscall/mprotect", "mmap", errno);
    return;
  }
  *touched = 1;
  Measure((struct Figure){"syscall/mprotect", "ns"}, Mprotect, touched, share);
  munmap(touched, kPage);
}

int RunSyscall(char** words) {
  double seconds = 3;
  const struct Option options[] = {SECONDS_OPTION(&seconds)};
  if (!ReadOptions("syscall", options, 1, words)) return kUsage;
  enum { kOwnFigures = 12 };
  double share = seconds / (kOwnFigures + kSwitchFigures + kProcessFigures);
  Measure((struct Figure){"syscall/null", "ns"}, Null, NULL, share);
  Measure((struct Figure){"syscall/clock", "ns"}, Clock, NULL, share);
  Measure((struct Figure){"syscall/clock-vdso", "ns"}, ClockVdso, NULL, share);
  MeasureFiles(share);
  MeasureReadiness(share);
  MeasureMappings(share);
  MeasureSwitches(share);
  MeasureProcesses(share);
  return Ended();
}
