// SPDX-License-Identifier: Apache-2.0
//
// Memory taken and given back: what Young et al. 2019 found to be gVisor's most expensive side.
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "line.h"
#include "load.h"
#include "timing.h"

enum { kPage = 4096 };

// Maps, touches each page, unmaps.
static bool Map(void *state, uint64_t count) {
  size_t size = *(size_t *)state;
  for (uint64_t i = 0; i < count; ++i) {
    char *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED) return false;
    for (size_t at = 0; at < size; at += kPage) area[at] = 1;
    if (munmap(area, size) != 0) return false;
  }
  return true;
}

// One page is given back and touched again: a page fault and little else.
static bool Fault(void *state, uint64_t count) {
  char *area = state;
  for (uint64_t i = 0; i < count; ++i) {
    char *page = area + (i % 256) * kPage;
    if (i % 256 == 0 && madvise(area, 256 * kPage, MADV_DONTNEED) != 0) return false;
    *(volatile char *)page = 1;
  }
  return true;
}

// malloc(3) and free(3) of sizes as programs have them; some live longer.
static bool Churn(void *state, uint64_t count) {
  static void *kept[1024];
  uint64_t random = *(uint64_t *)state;
  for (uint64_t i = 0; i < count; ++i) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    size_t at = (random >> 40) % 1024, size = 16u << ((random >> 50) % 12);
    free(kept[at]);
    kept[at] = malloc(size);
    if (kept[at] == NULL) return false;
    *(volatile char *)kept[at] = 1;
  }
  *(uint64_t *)state = random;
  return true;
}

static bool Break(void *state, uint64_t count) {
  (void)state;
  for (uint64_t i = 0; i < count; ++i) {
    char *end = sbrk(16 * kPage);
    if (end == (void *)-1) return false;
    for (size_t at = 0; at < 16; ++at) *(volatile char *)(end + at * kPage) = 1;
    if (sbrk(-16 * kPage) == (void *)-1) return false;
  }
  return true;
}

int Allocate(int count, char **words) {
  const char *seconds_text = "2";
  double seconds;
  const struct Option options[] = {{"--seconds", &seconds_text}};
  if (!ReadOptions(count, words, options, 1, NULL) ||
      !ReadNumber("--seconds", seconds_text, 0.01, 3600, &seconds)) {
    return 2;
  }
  static const struct {
    size_t size;
    const char *metric;
  } kSizes[] = {{kPage, "allocate/map-4k"},
                {16 * kPage, "allocate/map-64k"},
                {256 * kPage, "allocate/map-1m"},
                {4096 * kPage, "allocate/map-16m"}};
  for (size_t i = 0; i < sizeof kSizes / sizeof *kSizes; ++i) {
    size_t size = kSizes[i].size;
    MeasureBatches(kSizes[i].metric, Map, &size, seconds / 7);
  }
  char *area = mmap(NULL, 256 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (area == MAP_FAILED) {
    CannotErrno("allocate/page-fault", "mmap");
  } else {
    // Page by page: huge pages would make one fault of 512.
    madvise(area, 256 * kPage, MADV_NOHUGEPAGE);
    MeasureBatches("allocate/page-fault", Fault, area, seconds / 7);
  }
  MeasureBatches("allocate/brk-64k", Break, NULL, seconds / 7);
  uint64_t random = 1;
  MeasureBatches("allocate/malloc", Churn, &random, seconds / 7);
  End();
  return 0;
}
