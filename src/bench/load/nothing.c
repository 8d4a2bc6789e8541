// SPDX-License-Identifier: Apache-2.0
//
// nothing: ends. now: says `ready` and ends (main() has done so already, unless `init` asks).
#include "line.h"
#include "option.h"
#include "subcommands.h"

int RunNothing(char** words) { return ReadOptions("nothing", NULL, 0, words) ? 0 : kUsage; }

int RunNow(char** words) {
  if (!ReadOptions("now", NULL, 0, words)) return kUsage;
  SayReady();
  return 0;
}
