// SPDX-License-Identifier: Apache-2.0
//
// Neighbours that take memory: its bandwidth, its caches and its room.
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "burn.h"
#include "line.h"
#include "worker.h"

enum { kLine = 64, kPage = 4096, kStep = 1 << 20, kLeastStream = 32 << 20 };

static char* Map(size_t bytes) {
  char* begin = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return begin == MAP_FAILED ? NULL : begin;
}

int BurnMemory(struct Burn* burn) {
  long all = burn->bytes ? burn->bytes : 256l << 20;
  long own = all / Processors();
  if (own < kLeastStream && !burn->bytes) own = kLeastStream;  // less would stay in a cache
  size_t half = (size_t)own / 2;
  char* begin = Map(2 * half);
  if (!begin) return errno;
  memset(begin, 1, 2 * half);
  SayBurning(burn);
  for (;;) {
    memcpy(begin, begin + half, half);
    memcpy(begin + half, begin, half);
    __asm__ volatile("" : : "g"(begin) : "memory");
  }
}

int BurnCache(struct Burn* burn) {
  size_t own = (size_t)(burn->bytes ? burn->bytes : 32l << 20) / (size_t)Processors();
  volatile char* begin = Map(own);
  if (!begin) return errno;
  for (bool once = false;; once = true) {
    for (size_t at = 0; at < own; at += kLine) ++begin[at];
    if (!once) SayBurning(burn);
  }
}

int BurnMemoryGrow(struct Burn* burn) {
  size_t most = (size_t)(burn->most ? burn->most : 1l << 30) / kStep * kStep;
  if (most == 0) most = kStep;
  // All addresses at once, or as many as there may be.
  char* begin = NULL;
  while (!(begin = Map(most)) && most > kStep) most = most / 2 / kStep * kStep;
  if (!begin) return errno;
  for (size_t at = 0; at < most; at += kPage) begin[at] = 1;
  SayNumber("burn/memory-grow/held", "B", (double)most);
  SayBurning(burn);
  // What is not used would be swapped out.
  for (;; poll(NULL, 0, 10))
    for (size_t at = 0; at < most; at += kPage) ++((volatile char*)begin)[at];
}
