// SPDX-License-Identifier: Apache-2.0
//
// The subcommands, a file each. `words` are those behind the subcommand's name, a null at the end.
// They return the exit code: 0, and load.c says `end`; 1 for a failure; kUsage (option.h).
#pragma once

int RunNothing(char** words);
int RunNow(char** words);
int RunSleep(char** words);
int RunServe(char** words);
int RunCpu(char** words);
int RunMemory(char** words);
int RunCache(char** words);
int RunAllocate(char** words);
int RunSyscall(char** words);
int RunDisk(char** words);
int RunNetwork(char** words);
int RunVictim(char** words);
int RunBurn(char** words);
int RunPry(char** words);
int RunInit(char** words);

// What load.c does with the words of a command line; `init` does it with those of the kernel's.
int RunWords(char** words);
