// SPDX-License-Identifier: Apache-2.0
//
// load pry [--group GROUP]… [--marker NAME=VALUE]… [--list]: runs the probes one after the other,
// each in a child with two seconds to answer, and prints a finding for each.
#include "pry.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "line.h"
#include "option.h"
#include "subcommands.h"

enum { kSeconds = 2, kGroupLimit = 16 };

static const struct Group* const kGroups[] = {
    &kProcessGroup,  &kMemoryGroup,  &kFilesGroup,    &kMountsGroup, &kDevicesGroup,
    &kKernelGroup,   &kSysctlGroup,  &kNetworkGroup,  &kTimeGroup,   &kCgroupsGroup,
    &kIdentityGroup, &kRuntimeGroup, &kHardwareGroup,
};
static const size_t kGroupCount = sizeof(kGroups) / sizeof(kGroups[0]);

static const char* const kVerdictNames[] = {"closed", "sees", "touches", "unknown"};

// What the child sends: the verdict's letter, then the words. One write of less than PIPE_BUF.
static void AskInChild(const struct Probe* probe, int answers) {
  // A probe that hangs in an uninterruptible call is left behind by the parent's limit; this one
  // is for all others.
  alarm(kSeconds);
  char message[512];
  const enum Verdict verdict = probe->ask(probe);
  const int size = snprintf(message, sizeof(message), "%c%s", '0' + (int)verdict, Words());
  const size_t sent = size < (int)sizeof(message) ? (size_t)size : sizeof(message) - 1;
  _exit(write(answers, message, sent) == (ssize_t)sent ? 0 : 1);
}

// Collects the message until the end of file or the deadline.
static size_t Receive(int answers, char* message, size_t size) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const time_t deadline = now.tv_sec + kSeconds + 2;
  size_t got = 0;
  while (got < size - 1 && now.tv_sec < deadline) {
    struct pollfd wait = {.fd = answers, .events = POLLIN};
    const int ready = poll(&wait, 1, 500);
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const ssize_t more = ready < 0 ? -1 : read(answers, message + got, size - 1 - got);
    if (more <= 0) break;
    got += (size_t)more;
  }
  message[got] = '\0';
  return got;
}

// How a child ended that did not answer.
static void ReportSilence(const char* name, int status) {
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
    SayFinding(name, "unknown", "timed out after %d s", kSeconds);
  else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
    SayFinding(name, "closed", "killed by SIGSYS: a seccomp filter ends who tries");
  else if (WIFSIGNALED(status))
    SayFinding(name, "unknown", "killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
  else
    SayFinding(name, "unknown", "ended without an answer, exit code %d", WEXITSTATUS(status));
}

static void RunProbe(const struct Probe* probe) {
  int ends[2];
  if (pipe(ends) != 0) {
    SayFinding(probe->name, "unknown", "no pipe: %s", strerror(errno));
    return;
  }
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    AskInChild(probe, ends[1]);
  }
  close(ends[1]);
  if (child < 0) {
    SayFinding(probe->name, "unknown", "no process: %s", strerror(errno));
    close(ends[0]);
    return;
  }
  char message[512];
  const size_t got = Receive(ends[0], message, sizeof(message));
  close(ends[0]);
  kill(child, got > 0 ? 0 : SIGALRM);
  int status = 0;
  // A child that cannot even be killed (it waits for a device) must not hold up the others.
  pid_t ended = 0;
  for (int i = 0; i < 100 && (ended = waitpid(child, &status, WNOHANG)) == 0; i++) usleep(10000);
  if (ended == 0) kill(child, SIGKILL);
  if (got > 0 && message[0] >= '0' && message[0] <= '3')
    SayFinding(probe->name, kVerdictNames[message[0] - '0'], "%s", message + 1);
  else if (ended == 0)
    SayFinding(probe->name, "unknown", "hangs in a system call");
  else
    ReportSilence(probe->name, status);
}

static int Wanted(const char* name, const char* const* groups, size_t count) {
  if (count == 0) return 1;
  for (size_t i = 0; i < count; i++) {
    const size_t length = strlen(groups[i]);
    if (strncmp(name, groups[i], length) == 0 && (name[length] == '/' || name[length] == '\0'))
      return 1;
  }
  return 0;
}

static int KnownGroup(const char* name) {
  for (size_t i = 0; i < kGroupCount; i++) {
    if (strcmp(kGroups[i]->name, name) == 0) return 1;
    for (size_t j = 0; j < kGroups[i]->count; j++) {
      if (strcmp(kGroups[i]->probes[j].name, name) == 0) return 1;
    }
  }
  return 0;
}

static int Usage(const char* what, const char* word) {
  fprintf(stderr, "load pry: %s %s\n", what, word);
  return 2;
}

// `words` are what follows `pry`. The exit code: 0, or 2 for a wrong command line.
int RunPry(char** words) {
  const char* groups[kGroupLimit];
  size_t chosen = 0;
  int list = 0;
  for (size_t i = 0; words[i] != NULL; i++) {
    const int has_value = words[i + 1] != NULL;
    if (strcmp(words[i], "--list") == 0) {
      list = 1;
    } else if (strcmp(words[i], "--marker") == 0 && has_value) {
      if (!AddMarker(words[++i])) return Usage("expected NAME=VALUE, found", words[i]);
    } else if (strcmp(words[i], "--group") == 0 && has_value && chosen < kGroupLimit) {
      if (!KnownGroup(words[++i])) return Usage("no such group or probe:", words[i]);
      groups[chosen++] = words[i];
    } else {
      return Usage("unknown option, or one without its value:", words[i]);
    }
  }
  for (size_t i = 0; i < kGroupCount; i++) {
    for (size_t j = 0; j < kGroups[i]->count; j++) {
      const struct Probe* probe = &kGroups[i]->probes[j];
      if (!Wanted(probe->name, groups, chosen)) continue;
      if (list)
        puts(probe->name);
      else
        RunProbe(probe);
    }
  }
  if (!list) return 0;
  // Names and nothing else.
  exit(fflush(stdout) == 0 ? 0 : 1);
}
