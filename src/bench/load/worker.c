// SPDX-License-Identifier: Apache-2.0
#include "worker.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ending.h"

pid_t ForkWorker(void) {
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid != 0) return pid;
  ForgetEnd();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // it ended before it could be asked for
  return 0;
}

void EndWorker(pid_t pid) {
  if (pid <= 0) return;
  kill(pid, SIGKILL);
  while (waitpid(pid, NULL, 0) == -1 && errno == EINTR) continue;
}

void AdoptOrphans(void) { prctl(PR_SET_CHILD_SUBREAPER, 1); }

void AwaitAll(void) {
  while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) continue;
}

long Processors(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? count : 1;
}

const char* ProgramPath(void) {
  // What execve(2) was given is in the auxiliary vector.
  unsigned long given = getauxval(AT_EXECFN);
  if (given) {
    const char* path = (const char*)given;  // NOLINT(performance-no-int-to-ptr)
    if (access(path, X_OK) == 0) return path;
  }
  return "/proc/self/exe";
}
