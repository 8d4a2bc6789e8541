// SPDX-License-Identifier: Apache-2.0
//
// cpu: one thread that computes, and asks the kernel for nothing meanwhile.
//   cpu/primes ns   counting the primes up to --limit (by division)
//   cpu/hash   ns   a step of a mix of 64 bits: multiply, shift, exclusive or; each waits for the
//   last cpu/float  ns   a step of the logistic map in double precision; likewise
#include <stdint.h>

#include "ending.h"
#include "option.h"
#include "subcommands.h"
#include "timing.h"

// Keeps a value that nobody uses from being optimised away.
#define KEEP(value) __asm__ volatile("" : "+m"(value))

static bool IsPrime(uint32_t number) {
  if (number % 2 == 0) return number == 2;
  for (uint32_t i = 3; i * i <= number; i += 2)
    if (number % i == 0) return false;
  return true;
}

static int Primes(void* with, uint64_t times) {
  uint32_t limit = (uint32_t)*(long*)with;
  for (uint64_t i = 0; i < times && !Ended(); ++i) {
    uint32_t count = 0;
    for (uint32_t number = 2; number <= limit; ++number) count += IsPrime(number);
    KEEP(count);
  }
  return 0;
}

static int Hash(void* with, uint64_t times) {
  (void)with;
  uint64_t value = times;
  for (uint64_t i = 0; i < times; ++i) {
    value = (value ^ (value >> 29)) * 0xbf58476d1ce4e5b9u + i;
  }
  KEEP(value);
  return 0;
}

static int Float(void* with, uint64_t times) {
  (void)with;
  double value = 0.3;
  for (uint64_t i = 0; i < times; ++i) {
    value = 3.9 * value * (1 - value);
  }
  KEEP(value);
  return 0;
}

int RunCpu(char** words) {
  long limit = 200000;
  double seconds = 1;
  const struct Option options[] = {
      {"--limit", "N", .number = &limit, .least = 2, .most = 1000000000},
      SECONDS_OPTION(&seconds),
  };
  if (!ReadOptions("cpu", options, 2, words)) return kUsage;
  Measure((struct Figure){"cpu/primes", "ns"}, Primes, &limit, seconds / 2);
  Measure((struct Figure){"cpu/hash", "ns"}, Hash, NULL, seconds / 4);
  Measure((struct Figure){"cpu/float", "ns"}, Float, NULL, seconds / 4);
  return Ended();
}
