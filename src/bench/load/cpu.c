// SPDX-License-Identifier: Apache-2.0
//
// One processor, no system call: primes up to a limit by trial division (as Anjali et al. 2020 do
// with sysbench), a hash of integers, a recurrence of floating-point numbers.
#include <stdint.h>

#include "line.h"
#include "load.h"
#include "timing.h"

static volatile uint64_t sink;

static bool Primes(void *state, uint64_t count) {
  uint64_t limit = *(uint64_t *)state, found = 0;
  for (uint64_t i = 0; i < count; ++i) {
    for (uint64_t n = 3; n <= limit; ++n) {
      bool prime = true;
      for (uint64_t d = 2; d * d <= n && prime; ++d) prime = n % d != 0;
      found += prime ? 1 : 0;
    }
  }
  sink = found;
  return true;
}

static bool Hash(void *state, uint64_t count) {
  uint64_t hash = *(uint64_t *)state;
  for (uint64_t i = 0; i < count * 1000; ++i) {
    hash ^= hash >> 30;
    hash *= 0xbf58476d1ce4e5b9u;
    hash ^= hash >> 27;
    hash += i;
  }
  sink = hash;
  return true;
}

static bool Floating(void *state, uint64_t count) {
  double x = 0.1 + (double)(*(uint64_t *)state & 1) * 0.1;
  for (uint64_t i = 0; i < count * 1000; ++i) x = 3.9 * x * (1.0 - x);
  sink = (uint64_t)(x * 1e9);
  return true;
}

int Cpu(int count, char **words) {
  const char *limit_text = "10000", *seconds_text = "1";
  double limit, seconds;
  const struct Option options[] = {{"--limit", &limit_text}, {"--seconds", &seconds_text}};
  if (!ReadOptions(count, words, options, 2, NULL) ||
      !ReadNumber("--limit", limit_text, 10, 1e8, &limit) ||
      !ReadNumber("--seconds", seconds_text, 0.01, 3600, &seconds)) {
    return 2;
  }
  uint64_t state = (uint64_t)limit;
  MeasureBatches("cpu/primes", Primes, &state, seconds / 2);
  MeasureBatches("cpu/hash", Hash, &state, seconds / 4);
  MeasureBatches("cpu/floating-point", Floating, &state, seconds / 4);
  End();
  return 0;
}
