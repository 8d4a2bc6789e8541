// SPDX-License-Identifier: Apache-2.0
//
// allocate: getting memory from the kernel and giving it back.
//   at bytes N allocate/mmap ns   mmap, touch each page, munmap
//   allocate/fault ns             the first touch of a page of 4 KiB
//   allocate/dontneed ns          madvise(MADV_DONTNEED) of a page and the touch after it
//   allocate/brk ns               brk up by 64 KiB, touch, brk down
//   allocate/malloc ns            a pair of malloc and free, sizes from 16 B to 64 KiB mixed
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ending.h"
#include "line.h"
#include "option.h"
#include "subcommands.h"
#include "timing.h"

enum { kPage = 4096, kFaultPages = 1024, kBrkBytes = 64 << 10, kSlots = 1024 };

static void Touch(void* begin, size_t bytes) {
  volatile char* byte = begin;
  for (size_t at = 0; at < bytes; at += kPage) byte[at] = 1;
}

static void* Map(size_t bytes) {
  void* begin = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return begin == MAP_FAILED ? NULL : begin;
}

static int MapTouchUnmap(void* with, uint64_t times) {
  size_t bytes = *(size_t*)with;
  for (uint64_t i = 0; i < times && !Ended(); ++i) {
    void* begin = Map(bytes);
    if (!begin) return errno;
    Touch(begin, bytes);
    if (munmap(begin, bytes) == -1) return errno;
  }
  return 0;
}

static int Fault(void* with, uint64_t times) {
  (void)with;
  for (uint64_t i = 0; i < times && !Ended(); ++i) {
    void* begin = Map((size_t)kFaultPages * kPage);
    if (!begin) return errno;
    // Where it is refused there are no huge pages either.
    (void)madvise(begin, (size_t)kFaultPages * kPage, MADV_NOHUGEPAGE);
    Touch(begin, (size_t)kFaultPages * kPage);
    if (munmap(begin, (size_t)kFaultPages * kPage) == -1) return errno;
  }
  return 0;
}

static int DontNeed(void* with, uint64_t times) {
  for (uint64_t i = 0; i < times && !Ended(); ++i) {
    if (madvise(with, (size_t)kFaultPages * kPage, MADV_DONTNEED) == -1) return errno;
    Touch(with, (size_t)kFaultPages * kPage);
  }
  return 0;
}

static int Brk(void* with, uint64_t times) {
  (void)with;
  for (uint64_t i = 0; i < times; ++i) {
    void* begin = sbrk(kBrkBytes);
    if (begin == (void*)-1) return errno;  // NOLINT(performance-no-int-to-ptr)
    Touch(begin, kBrkBytes);
    if (sbrk(-kBrkBytes) == (void*)-1) return errno;  // NOLINT(performance-no-int-to-ptr)
  }
  return 0;
}

static int Malloc(void* with, uint64_t times) {
  void** slots = with;
  static uint64_t random = 88172645463325252u;
  for (uint64_t i = 0; i < times; ++i) {
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    void** slot = &slots[random % kSlots];
    free(*slot);
    // Each power of two as often as another.
    size_t size = (size_t)16 << (random >> 32) % 12;
    *slot = malloc(size + (random >> 40) % size);
    if (!*slot) return errno;
    *(volatile char*)*slot = 1;
  }
  return 0;
}

int RunAllocate(char** words) {
  double seconds = 2;
  const struct Option options[] = {SECONDS_OPTION(&seconds)};
  if (!ReadOptions("allocate", options, 1, words)) return kUsage;
  double share = seconds / 8;
  for (size_t bytes = 4096; bytes <= 16u << 20; bytes *= 16) {
    struct Figure figure = {"allocate/mmap", "ns", 1, "bytes", (double)bytes};
    Measure(figure, MapTouchUnmap, &bytes, share);
  }
  Measure((struct Figure){"allocate/fault", "ns", kFaultPages}, Fault, NULL, share);
  void* pages = Map((size_t)kFaultPages * kPage);
  if (pages) {
    (void)madvise(pages, (size_t)kFaultPages * kPage, MADV_NOHUGEPAGE);
    Measure((struct Figure){"allocate/dontneed", "ns", kFaultPages}, DontNeed, pages, share);
    munmap(pages, (size_t)kFaultPages * kPage);
  } else {
    SayCannotCall("allocate/dontneed", "mmap", errno);
  }
  Measure((struct Figure){"allocate/brk", "ns"}, Brk, NULL, share);
  static void* slots[kSlots];
  Measure((struct Figure){"allocate/malloc", "ns"}, Malloc, slots, share);
  return Ended();
}
