// SPDX-License-Identifier: Apache-2.0
//
// sleep: is there, and does nothing until it is told to end.
#include "ending.h"
#include "line.h"
#include "option.h"
#include "subcommands.h"

int RunSleep(char** words) {
  if (!ReadOptions("sleep", NULL, 0, words)) return kUsage;
  SayReady();
  WaitForEnd(-1);
  return 0;
}
