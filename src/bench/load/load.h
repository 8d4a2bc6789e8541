// SPDX-License-Identifier: Apache-2.0
//
// The subcommands of `load`, one file each; the table is in load.c.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// `words` are the arguments behind the subcommand's name. The exit code.
typedef int (*Subcommand)(int count, char **words);

int Nothing(int count, char **words);
int Now(int count, char **words);
int Sleep(int count, char **words);
int Serve(int count, char **words);
int Cpu(int count, char **words);
int Memory(int count, char **words);
int Allocate(int count, char **words);
int Syscall(int count, char **words);
int Disk(int count, char **words);
int Network(int count, char **words);
int Victim(int count, char **words);
int Burn(int count, char **words);
int Pry(int count, char **words);

// An option with a value: --name VALUE. `value` points to the last given, or stays as it was.
struct Option {
  const char *name;
  const char **value;
};
// Reads options; `argument` takes the one word that is none, NULL when none may be given. False
// after a message.
bool ReadOptions(int count, char **words, const struct Option *options, int option_count,
                 const char **argument);
// False after a message that names the option.
bool ReadNumber(const char *name, const char *text, double least, double most, double *number);

// Set by SIGTERM and SIGINT after CatchEnd(); as the first process of a namespace, which no signal
// ends that has no handler, too.
void CatchEnd(void);
bool Ended(void);
void WaitForEnd(void);
