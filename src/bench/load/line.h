// SPDX-License-Identifier: Apache-2.0
//
// What `load` says on standard output (docs/bench.md). Each line is written whole and at once.
#pragma once

#include <stddef.h>

void Ready(void);
void End(void);
// One or more samples of a figure; nothing when there is none.
void Samples(const char *metric, const char *unit, const double *numbers, size_t count);
void Number(const char *metric, const char *unit, double number);
void NumberAt(const char *x_name, double x, const char *metric, const char *unit, double number);
void Cannot(const char *metric, const char *format, ...) __attribute__((format(printf, 2, 3)));
// With strerror(errno) behind it.
void CannotErrno(const char *metric, const char *what);
void Finding(const char *probe, const char *verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// A message on standard error; the exit codes 2 for a wrong command line, 1 for all else.
int WrongUse(const char *format, ...) __attribute__((format(printf, 1, 2)));
int FailWith(const char *format, ...) __attribute__((format(printf, 1, 2)));
