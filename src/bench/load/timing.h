// SPDX-License-Identifier: Apache-2.0
//
// Clocks, samples and their percentiles, and the loop that every latency and rate is measured with.
// All loops are bounded by time and not by counts: a system call may take 50 ns or 50 µs here.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// CLOCK_MONOTONIC in nanoseconds.
uint64_t Now(void);
// The moment that many seconds from now.
uint64_t After(double seconds);

// A stream of numbers of any length in memory that is taken beforehand: when it is full, every
// other one is dropped, and from then on only every second one is kept. The greatest one is exact.
struct Samples {
  double* values;
  size_t count;
  size_t capacity;
  uint64_t seen;
  uint64_t stride;
  double greatest;
};
// Takes the memory and touches it. False without memory, with errno.
bool StartSamples(struct Samples* samples, size_t capacity);
void AddSample(struct Samples* samples, double value);
// Sorts. `share` is 0 to 1; needs one sample.
double Quantile(struct Samples* samples, double share);
void FreeSamples(struct Samples* samples);
// Says METRIC/p50, /p99 and, with `rare`, /p99.9, in nanoseconds; or that there is no sample.
void SayQuantiles(const char* metric, struct Samples* samples, bool rare);

// Counts of nanoseconds in four buckets to each power of two.
enum { kHistogramBuckets = 256 };
struct Histogram {
  uint64_t counts[kHistogramBuckets];
};
void CountIn(struct Histogram* histogram, uint64_t ns);
// Says `at ns BUCKET METRIC count N` for each bucket that is not empty; BUCKET is its lower bound.
void SayHistogram(const char* metric, const struct Histogram* histogram);

// What is measured: does it `times` times; 0, or the errno that ended it.
typedef int Deed(void* with, uint64_t times);

// The figure that becomes of it.
struct Figure {
  const char* metric;
  const char* unit;    // ns: time for one; B/s and 1/s: how many in a second
  double size;         // how many (bytes, pages) one deed is; 0 is 1
  const char* x_name;  // what it is a function of, or null
  double x;
};

// Does the deed in batches for about so many seconds and says up to sixteen samples, one a batch,
// or why it cannot. One deed that takes longer than all of the time is one sample.
void Measure(struct Figure figure, Deed* deed, void* with, double seconds);
