// SPDX-License-Identifier: Apache-2.0
//
// Processes that help with a measurement, or take part in a burn.
#pragma once

#include <sys/types.h>

// fork(2); the child has the default signals again and is killed when its parent ends.
pid_t ForkWorker(void);
// Kills it and waits.
void EndWorker(pid_t pid);
// The children of a child that ends become ours, and can be waited for.
void AdoptOrphans(void);
// Waits for all children; those of workers that were killed are killed with them.
void AwaitAll(void);
// How many processors this process may run on.
long Processors(void);
// A path of this program, for open(2) and execve(2); needs no /proc.
const char* ProgramPath(void);
