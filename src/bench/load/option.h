// SPDX-License-Identifier: Apache-2.0
//
// Options of a subcommand: `--name VALUE`, in any order, and at most one word without a name.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct Option {
  const char* name;   // "--limit"; null: the word without a name
  const char* shown;  // what its value is, for messages: "DIRECTORY"
  // One of these: where the value goes.
  const char** text;
  long* number;  // least to most
  double* real;  // above 0, to most
  long least, most;
};

// False, with a message on standard error, when the words (those behind the subcommand) are wrong;
// the exit code is then kUsage.
bool ReadOptions(const char* subcommand, const struct Option* options, size_t count, char** words);
enum { kUsage = 2 };

// "--seconds", an hour at most.
#define SECONDS_OPTION(variable) {"--seconds", "S", .real = (variable), .most = 3600}
