// SPDX-License-Identifier: Apache-2.0
//
// The lines that the program says on standard output (docs/bench.md, "What `load` says"). Each is
// one write(2) and so arrives at once and whole; nothing is buffered that a kill could lose.
#pragma once

#include <stddef.h>

// Samples of one figure: `result METRIC UNIT NUMBER …`. More than fit on a line go on another one.
void SayResult(const char* metric, const char* unit, const double* numbers, size_t count);
// One sample.
void SayNumber(const char* metric, const char* unit, double number);
// Samples as a function of `x`; with a null `x_name` this is SayResult().
void SayResultAt(const char* x_name, double x, const char* metric, const char* unit,
                 const double* numbers, size_t count);

void SayReady(void);
void SayEnd(void);

// What a probe found. `verdict` is closed, sees, touches or unknown.
void SayFinding(const char* probe, const char* verdict, const char* words, ...)
    __attribute__((format(printf, 3, 4)));

// A metric that cannot be measured here, and why.
void SayCannot(const char* metric, const char* words, ...) __attribute__((format(printf, 2, 3)));
// The same for a call that failed with `error`: `call: No such file or directory (ENOENT)`.
void SayCannotCall(const char* metric, const char* call, int error);

// On standard error, with the program's name in front; returns the exit code 1.
int Complain(const char* words, ...) __attribute__((format(printf, 1, 2)));
// The same for a call that failed with `error`.
int ComplainCall(const char* call, int error);
