// SPDX-License-Identifier: Apache-2.0
//
// The parts of the subcommand `syscall`. Each says its figures within so many seconds for each.
#pragma once

// syscall.c has those of one process with itself; these take two.
enum { kSwitchFigures = 2, kProcessFigures = 3 };
void MeasureSwitches(double share);   // pipe, futex
void MeasureProcesses(double share);  // fork, exec, signal
