// SPDX-License-Identifier: Apache-2.0
//
// Being told to end. SIGTERM and SIGINT set a flag, and are no default actions: the first process
// of a PID namespace has none, and files have to be removed first.
#pragma once

#include <stdbool.h>

// Catches the signals; calls that wait are interrupted (EINTR).
void CatchEnd(void);
// As a new process finds them, for workers.
void ForgetEnd(void);
bool Ended(void);
// Waits for the end for so many seconds at most; negative: for as long as it takes.
void WaitForEnd(double seconds);
