// SPDX-License-Identifier: Apache-2.0
//
// memory: one thread, over --bytes of memory that was touched before.
//   memory/read, /write, /copy, /triad B/s   bytes read and written, as STREAM counts them
//   memory/chase ns                          a load that waits for the last one, at a random place
// cache: the same of what fits into a cache while nobody else uses it; --bytes says how much that
// is.
//   cache/read B/s, cache/chase ns
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "ending.h"
#include "line.h"
#include "option.h"
#include "subcommands.h"
#include "timing.h"

enum { kLineBytes = 64 };
static const size_t kMostChased = 64u << 20;  // more only takes longer to set up

struct Memory {
  char* begin;
  size_t bytes;
  size_t chased;  // the line that is next: a batch that began anew would find its lines in a cache
};

typedef uint64_t Vector __attribute__((vector_size(32)));

#define KEEP(value) __asm__ volatile("" : : "g"(value) : "memory")

static int Read(void* with, uint64_t times) {
  const struct Memory* memory = with;
  for (uint64_t i = 0; i < times; ++i) {
    const Vector* vectors = (const Vector*)(const void*)memory->begin;
    Vector sums[4] = {{0}};
    for (size_t at = 0; at < memory->bytes / sizeof(Vector); at += 4)
      for (size_t lane = 0; lane < 4; ++lane) sums[lane] += vectors[at + lane];
    KEEP(&sums);
  }
  return 0;
}

static int Write(void* with, uint64_t times) {
  const struct Memory* memory = with;
  for (uint64_t i = 0; i < times; ++i) {
    memset(memory->begin, (int)i & 0xff, memory->bytes);
    KEEP(memory->begin);
  }
  return 0;
}

static int Copy(void* with, uint64_t times) {
  const struct Memory* memory = with;
  size_t half = memory->bytes / 2;
  for (uint64_t i = 0; i < times; ++i) {
    memcpy(memory->begin, memory->begin + half, half);
    KEEP(memory->begin);
  }
  return 0;
}

// a = b + 3 c, over thirds.
static int Triad(void* with, uint64_t times) {
  const struct Memory* memory = with;
  size_t count = memory->bytes / 3 / sizeof(double) / 4 * 4;
  double* a = (double*)(void*)memory->begin;
  const double* b = a + count;
  const double* c = b + count;
  for (uint64_t i = 0; i < times; ++i) {
    for (size_t at = 0; at < count; ++at) a[at] = b[at] + 3 * c[at];
    KEEP(a);
  }
  return 0;
}

// One cycle through all cache lines in random order (Sattolo), as offsets.
static void MakeCycle(const struct Memory* memory) {
  size_t count = memory->bytes / kLineBytes;
  uint64_t random = 88172645463325252u;
  for (size_t i = 0; i < count; ++i) memcpy(memory->begin + i * kLineBytes, &i, sizeof i);
  for (size_t i = count - 1; i > 0; --i) {
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    size_t* a = (size_t*)(void*)(memory->begin + i * kLineBytes);
    size_t* b = (size_t*)(void*)(memory->begin + random % i * kLineBytes);
    size_t value = *a;
    *a = *b, *b = value;
  }
}

static int Chase(void* with, uint64_t times) {
  struct Memory* memory = with;
  size_t at = memory->chased;
  for (uint64_t i = 0; i < times; ++i)
    at = *(const size_t*)(const void*)(memory->begin + at * kLineBytes);
  memory->chased = at;
  return 0;
}

// Reads the options and takes the memory, `bytes` where they do not say how much. 0, or the exit
// code.
static int Take(const char* subcommand, char** words, long bytes, struct Memory* memory,
                double* seconds) {
  const struct Option options[] = {
      {"--bytes", "N", .number = &bytes, .least = 65536, .most = 1l << 40},
      SECONDS_OPTION(seconds),
  };
  if (!ReadOptions(subcommand, options, 2, words)) return kUsage;
  memory->bytes = (size_t)bytes / 384 * 384;  // halves and thirds of whole vectors
  memory->chased = 0;
  memory->begin =
      mmap(NULL, memory->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory->begin == MAP_FAILED) return ComplainCall("mmap --bytes", errno);
  memset(memory->begin, 1, memory->bytes);
  return 0;
}

int RunMemory(char** words) {
  struct Memory memory;
  double seconds = 2;
  int code = Take("memory", words, 192l << 20, &memory, &seconds);
  if (code) return code;
  double size = (double)memory.bytes;
  double share = seconds / 5;
  Measure((struct Figure){"memory/read", "B/s", size}, Read, &memory, share);
  Measure((struct Figure){"memory/write", "B/s", size}, Write, &memory, share);
  Measure((struct Figure){"memory/copy", "B/s", size}, Copy, &memory, share);
  Measure((struct Figure){"memory/triad", "B/s", size}, Triad, &memory, share);
  if (memory.bytes > kMostChased) memory.bytes = kMostChased;
  MakeCycle(&memory);
  Measure((struct Figure){"memory/chase", "ns"}, Chase, &memory, share);
  return Ended();
}

int RunCache(char** words) {
  struct Memory memory;
  double seconds = 2;
  int code = Take("cache", words, 32l << 20, &memory, &seconds);
  if (code) return code;
  Measure((struct Figure){"cache/read", "B/s", (double)memory.bytes}, Read, &memory, seconds / 2);
  MakeCycle(&memory);
  Measure((struct Figure){"cache/chase", "ns"}, Chase, &memory, seconds / 2);
  return Ended();
}
