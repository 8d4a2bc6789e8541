// SPDX-License-Identifier: Apache-2.0
//
// load: the program that kiste-bench starts in every sandbox. It needs nothing there but a kernel.
#include <string.h>
#include <unistd.h>

#include "ending.h"
#include "line.h"
#include "option.h"
#include "subcommands.h"

struct Subcommand {
  const char* name;
  int (*run)(char** words);
  const char* options;
};

static const struct Subcommand kSubcommands[] = {
    {"nothing", RunNothing, ""},
    {"now", RunNow, ""},
    {"sleep", RunSleep, ""},
    {"serve", RunServe, ""},
    {"cpu", RunCpu, " [--limit N] [--seconds S]"},
    {"memory", RunMemory, " [--bytes N] [--seconds S]"},
    {"cache", RunCache, " [--bytes N] [--seconds S]"},
    {"allocate", RunAllocate, " [--seconds S]"},
    {"syscall", RunSyscall, " [--seconds S]"},
    {"disk", RunDisk, " DIRECTORY [--bytes N] [--files N] [--seconds S]"},
    {"network", RunNetwork, " [--connect ADDRESS | --listen ADDRESS] [--port P] [--seconds S]"},
    {"victim", RunVictim, " [--directory D] [--seconds S]"},
    {"burn", RunBurn, " KIND [--directory D] [--bytes N] [--most N] [--seconds S]"},
    {"pry", RunPry, " [--group GROUP] [--marker NAME=VALUE] [--list]"},
    {"init", RunInit, ""},
};
enum { kSubcommandCount = sizeof kSubcommands / sizeof kSubcommands[0] };

static const struct Subcommand* Find(const char* name) {
  for (size_t i = 0; name && i < kSubcommandCount; ++i)
    if (strcmp(kSubcommands[i].name, name) == 0) return &kSubcommands[i];
  return NULL;
}

int RunWords(char** words) {
  const struct Subcommand* subcommand = Find(words[0]);
  if (!subcommand) {
    Complain("expected a subcommand, found '%s'", words[0] ? words[0] : "nothing");
    for (size_t i = 0; i < kSubcommandCount; ++i)
      Complain("  %s%s", kSubcommands[i].name, kSubcommands[i].options);
    return kUsage;
  }
  // These two are there to be timed: they do nothing more.
  if (subcommand->run == RunNothing || subcommand->run == RunNow) return subcommand->run(words + 1);
  CatchEnd();
  int code = subcommand->run(words + 1);
  if (code == 0) SayEnd();
  return code;
}

int main(int argc, char** argv) {
  if (argc == 0) return kUsage;
  // A kernel starts its first process with the words that we take from its command line.
  const char* slash = strrchr(argv[0], '/');
  if (strcmp(slash ? slash + 1 : argv[0], "init") == 0) return RunInit(argv + 1);
  // Nothing else may come before this: the host's clock runs until it reads the line.
  if (argc == 2 && strcmp(argv[1], "now") == 0) return write(STDOUT_FILENO, "ready\n", 6) != 6;
  return RunWords(argv + 1);
}
