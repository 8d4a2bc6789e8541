// SPDX-License-Identifier: Apache-2.0
//
// Neighbours that take processor time: by computing, and by interrupting.
#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "burn.h"
#include "worker.h"

enum { kTimerNs = 20000, kSharedPages = 16, kPage = 4096 };

int BurnCpu(struct Burn* burn) {
  SayBurning(burn);
  for (uint64_t value = 1;;) {
    for (int i = 0; i < 1000000; ++i) value = (value ^ (value >> 29)) * 0xbf58476d1ce4e5b9u + 1;
    __asm__ volatile("" : "+m"(value));
  }
}

// A processor that runs this has the pages in its translation cache, and is interrupted for them.
static void* ReadPages(void* with) {
  const volatile char* pages = with;
  for (unsigned i = 0;; ++i) (void)pages[(size_t)(i % kSharedPages) * kPage];
  return NULL;
}

static void* TakeTimers(void* with) {
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  const struct timespec often = {.tv_nsec = kTimerNs};
  const struct itimerspec timer = {often, often};
  if (fd == -1 || timerfd_settime(fd, 0, &timer, NULL) == -1) return with;
  for (uint64_t count; read(fd, &count, sizeof count) > 0;) continue;
  return with;
}

int BurnInterrupts(struct Burn* burn) {
  size_t size = (size_t)kSharedPages * kPage;
  char* pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return errno;
  for (size_t i = 0; i < kSharedPages; ++i) pages[i * kPage] = 1;
  for (long i = Processors(); i > 0; --i) {
    pthread_t thread;
    int error = pthread_create(&thread, NULL, ReadPages, pages);
    if (!error) error = pthread_create(&thread, NULL, TakeTimers, NULL);
    if (error) return error;
  }
  // Where there is none mprotect(2) has to do.
  bool barriers = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
  SayBurning(burn);
  for (;;) {
    if (barriers) syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    if (mprotect(pages, size, PROT_READ) == -1) return errno;
    if (mprotect(pages, size, PROT_READ | PROT_WRITE) == -1) return errno;
    for (size_t i = 0; i < kSharedPages; ++i) pages[i * kPage] = 2;
  }
}
