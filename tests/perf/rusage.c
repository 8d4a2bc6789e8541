// SPDX-License-Identifier: Apache-2.0
// runtime-rusage [--leave-orphans] FILE COMMAND...: runs COMMAND and writes to FILE one line
//   peak-RSS-KiB minor-faults major-faults voluntary-switches involuntary-switches
// over COMMAND and every descendant that ended, orphans included (this is their subreaper). With
// --leave-orphans over COMMAND and what it waited for: what it leaves running is somebody else's.
//
// It is a program of its own, small and static, because of a rule of getrusage(2): the peak of the
// memory that a process had before execve() stays in its ru_maxrss. A child of a large program
// would report that program's size, not its own.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t Start(char* const* words) {
  pid_t command = vfork();  // NOLINT: a fork would copy our pages into the figures
  if (command == 0) {
    execv(words[0], words);
    _exit(127);
  }
  return command;
}

int main(int argc, char** argv) {
  const int leave_orphans = argc > 1 && strcmp(argv[1], "--leave-orphans") == 0;
  char* const* const words = argv + 1 + leave_orphans;
  if (argc < 3 + leave_orphans) {
    fprintf(stderr, "usage: runtime-rusage [--leave-orphans] FILE COMMAND...\n");
    return 2;
  }
  if (!leave_orphans) prctl(PR_SET_CHILD_SUBREAPER, 1);
  const pid_t command = Start(words + 1);
  if (command < 0) {
    perror("vfork");
    return 1;
  }
  int exit_code = 1;
  long peak = 0, minor = 0, major = 0, voluntary = 0, involuntary = 0;
  for (;;) {
    int status = 0;
    struct rusage usage;
    pid_t ended = wait4(-1, &status, 0, &usage);
    if (ended < 0 && errno == EINTR) continue;
    if (ended < 0) break;
    if (ended == command)
      exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (usage.ru_maxrss > peak) peak = usage.ru_maxrss;
    minor += usage.ru_minflt;
    major += usage.ru_majflt;
    voluntary += usage.ru_nvcsw;
    involuntary += usage.ru_nivcsw;
    if (ended == command && leave_orphans) break;
  }
  FILE* out = fopen(words[0], "we");
  if (!out) {
    perror(words[0]);
    return 1;
  }
  fprintf(out, "%ld %ld %ld %ld %ld\n", peak, minor, major, voluntary, involuntary);
  fclose(out);
  return exit_code;
}
