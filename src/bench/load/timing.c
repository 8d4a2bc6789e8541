// SPDX-License-Identifier: Apache-2.0
#include "timing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ending.h"
#include "line.h"

enum { kBatches = 16 };

uint64_t Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t After(double seconds) { return Now() + (uint64_t)(seconds * 1e9); }

bool StartSamples(struct Samples* samples, size_t capacity) {
  *samples = (struct Samples){.capacity = capacity, .stride = 1};
  samples->values = malloc(capacity * sizeof *samples->values);
  if (!samples->values) return false;
  memset(samples->values, 1, capacity * sizeof *samples->values);
  return true;
}

void AddSample(struct Samples* samples, double value) {
  if (value > samples->greatest) samples->greatest = value;
  if (samples->seen++ % samples->stride != 0) return;
  if (samples->count == samples->capacity) {
    samples->count = (samples->count + 1) / 2;
    for (size_t i = 0; i < samples->count; ++i) samples->values[i] = samples->values[2 * i];
    samples->stride *= 2;
    if ((samples->seen - 1) % samples->stride != 0) return;
  }
  samples->values[samples->count++] = value;
}

static int Compare(const void* a, const void* b) {
  double x = *(const double*)a;
  double y = *(const double*)b;
  return (x > y) - (x < y);
}

double Quantile(struct Samples* samples, double share) {
  qsort(samples->values, samples->count, sizeof *samples->values, Compare);
  size_t at = (size_t)(share * (double)(samples->count - 1) + 0.5);
  return samples->values[at];
}

void FreeSamples(struct Samples* samples) {
  free(samples->values);
  *samples = (struct Samples){.values = NULL};
}

void SayQuantiles(const char* metric, struct Samples* samples, bool rare) {
  static const struct {
    const char* name;
    double share;
  } kQuantiles[] = {{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}};
  if (samples->count == 0) {
    SayCannot(metric, "there was no time for a single one");
    return;
  }
  for (size_t i = 0; i < (rare ? 3 : 2); ++i) {
    char name[96];
    snprintf(name, sizeof name, "%s/%s", metric, kQuantiles[i].name);
    SayNumber(name, "ns", Quantile(samples, kQuantiles[i].share));
  }
}

void CountIn(struct Histogram* histogram, uint64_t ns) {
  if (ns < 4) {
    ++histogram->counts[ns];
    return;
  }
  unsigned exponent = 63 - (unsigned)__builtin_clzll(ns);
  ++histogram->counts[(uint64_t)4 * (exponent - 1) + ((ns >> (exponent - 2)) & 3)];
}

void SayHistogram(const char* metric, const struct Histogram* histogram) {
  for (unsigned i = 0; i < kHistogramBuckets; ++i) {
    if (histogram->counts[i] == 0) continue;
    uint64_t bound = i < 4 ? i : (uint64_t)(4 + i % 4) << (i / 4 - 1);
    double count = (double)histogram->counts[i];
    SayResultAt("ns", (double)bound, metric, "count", &count, 1);
  }
}

// How often to do it next, so that a batch takes its time.
static uint64_t Grown(uint64_t times, uint64_t took, uint64_t batch) {
  if (took < batch / 8) return times * 8;
  return (uint64_t)((double)times * 1.1 * (double)batch / (double)took) + 1;
}

static double Number(const struct Figure* figure, uint64_t times, uint64_t took) {
  double count = (double)times * (figure->size > 0 ? figure->size : 1);
  double ns = took > 0 ? (double)took : 1;
  return strcmp(figure->unit, "ns") == 0 ? ns / count : count * 1e9 / ns;
}

void Measure(struct Figure figure, Deed* deed, void* with, double seconds) {
  double samples[kBatches];
  size_t count = 0;
  uint64_t times = 1;
  uint64_t batch = (uint64_t)(seconds * 1e9 / (kBatches + 4));
  uint64_t end = After(seconds);
  bool grown = false;  // the batch has its size: what was done before was the warming up
  while (count < kBatches && !Ended()) {
    uint64_t begin = Now();
    int error = deed(with, times);
    uint64_t now = Now();
    if (error == EINTR && Ended()) break;
    if (error) {
      SayCannot(figure.metric, "%s (%s)", strerror(error), strerrorname_np(error));
      return;
    }
    bool late = now >= end;
    if (grown || late) samples[count++] = Number(&figure, times, now - begin);
    if (late) break;
    if (!grown && now - begin >= batch * 3 / 4)
      grown = true;
    else if (!grown)
      times = Grown(times, now - begin, batch);
  }
  SayResultAt(figure.x_name, figure.x, figure.metric, figure.unit, samples, count);
}
