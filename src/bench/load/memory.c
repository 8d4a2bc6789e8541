// SPDX-License-Identifier: Apache-2.0
//
// Bandwidth over an area that no cache holds, after McCalpin's STREAM, and the latency of reads that
// depend on each other.
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "line.h"
#include "load.h"
#include "timing.h"

struct Area {
  double *a, *b, *c;  // the thirds of the area
  size_t count;       // numbers in each
};

static volatile double sink;

static void Read(const struct Area *area) {
  double sum = 0;
  for (size_t i = 0; i < area->count; ++i) sum += area->a[i];
  sink = sum;
}
static void Write(const struct Area *area) {
  for (size_t i = 0; i < area->count; ++i) area->a[i] = (double)i;
  sink = area->a[area->count / 2];
}
static void Copy(const struct Area *area) {
  memcpy(area->b, area->a, area->count * sizeof(double));
  sink = area->b[area->count / 2];
}
static void Triad(const struct Area *area) {
  for (size_t i = 0; i < area->count; ++i) area->c[i] = area->a[i] + 3.0 * area->b[i];
  sink = area->c[area->count / 2];
}

static void Bandwidth(const char *metric, void (*pass)(const struct Area *),
                      const struct Area *area, int thirds, double seconds) {
  enum { kMost = 20 };
  double samples[kMost], bytes = (double)area->count * sizeof(double) * thirds;
  size_t taken = 0;
  uint64_t end = NowNs() + (uint64_t)(seconds * 1e9);
  pass(area);
  while (taken < kMost && (taken < 3 || NowNs() < end)) {
    uint64_t before = NowNs();
    pass(area);
    samples[taken++] = bytes * 1e9 / (double)(NowNs() - before);
  }
  Samples(metric, "B/s", samples, taken);
}

// One cycle through all cache lines in an order that no prefetcher guesses (Sattolo's shuffle).
static void Chain(uint32_t *next, uint32_t lines) {
  uint64_t state = 88172645463325252u;
  for (uint32_t i = 0; i < lines; ++i) next[(size_t)i * 16] = i;
  for (uint32_t i = lines - 1; i > 0; --i) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    uint32_t other = (uint32_t)(state % i), kept = next[(size_t)i * 16];
    next[(size_t)i * 16] = next[(size_t)other * 16];
    next[(size_t)other * 16] = kept;
  }
}

static bool Chase(void *state, uint64_t count) {
  const uint32_t *next = state;
  uint32_t at = 0;
  for (uint64_t i = 0; i < count; ++i) at = next[(size_t)at * 16];
  sink = at;
  return true;
}

int Memory(int count, char **words) {
  const char *bytes_text = "100663296", *seconds_text = "1.5";
  double bytes, seconds;
  const struct Option options[] = {{"--bytes", &bytes_text}, {"--seconds", &seconds_text}};
  if (!ReadOptions(count, words, options, 2, NULL) ||
      !ReadNumber("--bytes", bytes_text, 1 << 16, 1e11, &bytes) ||
      !ReadNumber("--seconds", seconds_text, 0.01, 3600, &seconds)) {
    return 2;
  }
  struct Area area = {.count = (size_t)bytes / 3 / sizeof(double)};
  size_t size = area.count * sizeof(double) * 3;
  area.a = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (area.a == MAP_FAILED) return FailWith("load memory: mmap %zu bytes: %s", size, strerror(errno));
  area.b = area.a + area.count;
  area.c = area.b + area.count;
  memset(area.a, 1, size);
  Bandwidth("memory/read", Read, &area, 1, seconds / 5);
  Bandwidth("memory/write", Write, &area, 1, seconds / 5);
  Bandwidth("memory/copy", Copy, &area, 2, seconds / 5);
  Bandwidth("memory/triad", Triad, &area, 3, seconds / 5);
  Chain((uint32_t *)(void *)area.a, (uint32_t)(size / 64));
  MeasureBatches("memory/latency", Chase, area.a, seconds / 5);
  End();
  return 0;
}
