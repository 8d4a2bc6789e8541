// SPDX-License-Identifier: Apache-2.0
//
// Clocks and samples. A figure is taken in batches, as many as fit into a time: a sandbox may be a
// hundred times slower than another, and each is to have its samples.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint64_t NowNs(void);  // CLOCK_MONOTONIC
void SleepNs(uint64_t ns);

// Latencies for percentiles; the last ones are dropped when it is full.
enum { kMostLatencies = 200000 };
struct Latencies {
  float *ns;  // of kMostLatencies
  size_t count;
};
bool MakeLatencies(struct Latencies *latencies);
void AddLatency(struct Latencies *latencies, uint64_t ns);
// Writes METRIC/p50, /p99 and /p99.9, the last from a thousand on, and /max when asked for.
// Empties it.
void ReportLatencies(struct Latencies *latencies, const char *metric, bool with_max);

// A batch of `count` deeds; false when one cannot be done (errno).
typedef bool (*Batch)(void *state, uint64_t count);
// Runs batches of about a millisecond for `seconds`, at least three, and reports their ns per deed:
// at most 20 samples. cannot METRIC when the first does not work.
void MeasureBatches(const char *metric, Batch batch, void *state, double seconds);
