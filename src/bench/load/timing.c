// SPDX-License-Identifier: Apache-2.0
#include "timing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "line.h"

uint64_t NowNs(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void SleepNs(uint64_t ns) {
  struct timespec time = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
  while (nanosleep(&time, &time) != 0 && errno == EINTR) {
  }
}

bool MakeLatencies(struct Latencies *latencies) {
  latencies->count = 0;
  latencies->ns = malloc(kMostLatencies * sizeof(float));
  return latencies->ns != NULL;
}

void AddLatency(struct Latencies *latencies, uint64_t ns) {
  if (latencies->count < kMostLatencies) latencies->ns[latencies->count++] = (float)ns;
}

static int Less(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

void ReportLatencies(struct Latencies *latencies, const char *metric, bool with_max) {
  size_t count = latencies->count;
  latencies->count = 0;
  if (count == 0) {
    Cannot(metric, "no sample in the time given");
    return;
  }
  qsort(latencies->ns, count, sizeof(float), Less);
  static const struct {
    const char *name;
    double share;
    size_t least;
  } kPercentiles[] = {{"p50", 0.5, 1}, {"p99", 0.99, 100}, {"p99.9", 0.999, 1000}};
  char name[128];
  for (size_t i = 0; i < sizeof kPercentiles / sizeof *kPercentiles; ++i) {
    if (count < kPercentiles[i].least) continue;
    size_t at = (size_t)(kPercentiles[i].share * (double)(count - 1) + 0.5);
    snprintf(name, sizeof name, "%s/%s", metric, kPercentiles[i].name);
    Number(name, "ns", (double)latencies->ns[at]);
  }
  if (!with_max) return;
  snprintf(name, sizeof name, "%s/max", metric);
  Number(name, "ns", (double)latencies->ns[count - 1]);
}

void MeasureBatches(const char *metric, Batch batch, void *state, double seconds) {
  enum { kMostSamples = 20 };
  double samples[kMostSamples];
  size_t taken = 0;
  uint64_t count = 1, began = NowNs();
  // Grow the batch until it takes a millisecond: then the clock's own cost does not count.
  while (true) {
    uint64_t before = NowNs();
    if (!batch(state, count)) {
      CannotErrno(metric, "refused");
      return;
    }
    uint64_t took = NowNs() - before;
    if (took >= 1000000 || NowNs() - began > (uint64_t)(seconds * 5e8)) break;
    count = took < 100000 ? count * 8 : count * 2;
  }
  uint64_t each = (uint64_t)(seconds * 1e9 / kMostSamples);
  uint64_t end = NowNs() + (uint64_t)(seconds * 1e9);
  while (taken < kMostSamples && (taken < 3 || NowNs() < end)) {
    uint64_t before = NowNs(), deeds = 0;
    do {
      if (!batch(state, count)) {
        CannotErrno(metric, "refused after a while");
        return;
      }
      deeds += count;
    } while (NowNs() - before < each && taken >= 3);
    samples[taken++] = (double)(NowNs() - before) / (double)deeds;
  }
  Samples(metric, "ns", samples, taken);
}
