// SPDX-License-Identifier: Apache-2.0
//
// The program that kiste-bench starts in every sandbox: static, and content without /proc, /dev and
// /tmp.
#include "load.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init.h"
#include "line.h"

static const struct {
  const char *name;
  Subcommand run;
} kSubcommands[] = {
    {"nothing", Nothing}, {"now", Now},         {"sleep", Sleep},     {"serve", Serve},
    {"cpu", Cpu},         {"memory", Memory},   {"allocate", Allocate}, {"syscall", Syscall},
    {"disk", Disk},       {"network", Network}, {"victim", Victim},   {"burn", Burn},
    {"pry", Pry},
};

static volatile sig_atomic_t ended;

static void OnEnd(int signal) {
  (void)signal;
  ended = 1;
}

void CatchEnd(void) {
  struct sigaction action = {.sa_handler = OnEnd};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
}

bool Ended(void) { return ended != 0; }

void WaitForEnd(void) {
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigaddset(&blocked, SIGINT);
  sigprocmask(SIG_BLOCK, &blocked, &before);
  while (!Ended()) sigsuspend(&before);
  sigprocmask(SIG_SETMASK, &before, NULL);
}

bool ReadOptions(int count, char **words, const struct Option *options, int option_count,
                 const char **argument) {
  bool taken = false;
  for (int at = 0; at < count; ++at) {
    const char *word = words[at];
    int found = -1;
    for (int i = 0; i < option_count; ++i) {
      if (strcmp(word, options[i].name) == 0) found = i;
    }
    if (found >= 0 && at + 1 < count) {
      *options[found].value = words[++at];
    } else if (found >= 0) {
      return WrongUse("load: %s: expected a value, found the end", word) == 0;
    } else if (word[0] == '-' || argument == NULL || taken) {
      return WrongUse("load: expected a known option, found %s", word) == 0;
    } else {
      *argument = word;
      taken = true;
    }
  }
  return true;
}

bool ReadNumber(const char *name, const char *text, double least, double most, double *number) {
  char *end = NULL;
  double read = strtod(text, &end);
  if (end == text || *end != 0 || !(read >= least) || !(read <= most)) {
    WrongUse("load: %s: expected a number from %g to %g, found %s", name, least, most, text);
    return false;
  }
  *number = read;
  return true;
}

int main(int count, char **words) {
  if (getpid() == 1 && count > 0 && strcmp(words[0], "/init") == 0)
    return Init(count - 1, words + 1);
  // First of all what is timed to its first instructions.
  if (count == 2 && strcmp(words[1], "now") == 0) return Now(0, words + 2);
  for (size_t i = 0; count > 1 && i < sizeof kSubcommands / sizeof *kSubcommands; ++i) {
    if (strcmp(words[1], kSubcommands[i].name) != 0) continue;
    // Whoever reads may be gone: that is no reason to leave files behind.
    signal(SIGPIPE, SIG_IGN);
    return kSubcommands[i].run(count - 2, words + 2);
  }
  char known[256] = "";
  for (size_t i = 0; i < sizeof kSubcommands / sizeof *kSubcommands; ++i) {
    strcat(known, " ");
    strcat(known, kSubcommands[i].name);
  }
  return WrongUse("load: expected one of%s, found %s", known, count > 1 ? words[1] : "nothing");
}
