// SPDX-License-Identifier: Apache-2.0
//
// The neighbours of the subcommand `burn`: each is a kind in burn.c's table, and a function that
// runs in one or more processes which are killed at the end.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct Burn {
  const char* directory;  // null: none was given
  long bytes;             // 0: the kind's own size
  long most;              // likewise
  int ready;              // where a process says that it goes at full blast
  long number;            // of this process, from 0
};

// What takes until it is refused takes no longer than this to say that it burns.
enum { kFillSeconds = 5 };

// Says so, once. Until every process has, the program does not say `ready`.
void SayBurning(const struct Burn* burn);

// Each runs until it is killed; it returns the errno that kept it from that. See burn.c for what
// they are.
int BurnCpu(struct Burn* burn);
int BurnInterrupts(struct Burn* burn);
int BurnMemory(struct Burn* burn);
int BurnCache(struct Burn* burn);
int BurnMemoryGrow(struct Burn* burn);
int BurnDisk(struct Burn* burn);
int BurnPageCache(struct Burn* burn);
int BurnInodes(struct Burn* burn);
int BurnPids(struct Burn* burn);
int BurnDescriptors(struct Burn* burn);
int BurnSyscalls(struct Burn* burn);
int BurnNetwork(struct Burn* burn);
