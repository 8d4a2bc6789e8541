// SPDX-License-Identifier: Apache-2.0
//
// Making processes, and signals.
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ending.h"
#include "syscall.h"
#include "timing.h"
#include "worker.h"

// 0 when the child ended with 0.
static int Wait(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) == -1)
    if (errno != EINTR) return errno;
  // The child's exit code is its errno.
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  return ECHILD;
}

static int ForkWait(void* with, uint64_t times) {
  (void)with;
  for (uint64_t i = 0; i < times && !Ended(); ++i) {
    pid_t pid = fork();
    if (pid == -1) return errno;
    if (pid == 0) _exit(0);
    int error = Wait(pid);
    if (error) return error;
  }
  return 0;
}

static int ForkExecWait(void* with, uint64_t times) {
  const char* path = with;
  char program[] = "load";
  char subcommand[] = "nothing";
  char* words[] = {program, subcommand, NULL};
  char* environment[] = {NULL};
  for (uint64_t i = 0; i < times && !Ended(); ++i) {
    pid_t pid = fork();
    if (pid == -1) return errno;
    if (pid == 0) {
      execve(path, words, environment);
      _exit(errno);
    }
    int error = Wait(pid);
    if (error) return error;
  }
  return 0;
}

static volatile sig_atomic_t received;

static void Receive(int number) {
  (void)number;
  received = 1;
}

static int Signal(void* with, uint64_t times) {
  const pid_t* self = with;
  for (uint64_t i = 0; i < times; ++i)
    if (kill(*self, SIGUSR1) == -1) return errno;
  return received ? 0 : ENOSYS;
}

void MeasureProcesses(double share) {
  char* path = (char*)(uintptr_t)ProgramPath();
  Measure((struct Figure){"syscall/fork", "ns"}, ForkWait, NULL, share);
  Measure((struct Figure){"syscall/exec", "ns"}, ForkExecWait, path, share);
  struct sigaction action = {.sa_handler = Receive};
  struct sigaction before;
  pid_t self = getpid();
  sigaction(SIGUSR1, &action, &before);
  Measure((struct Figure){"syscall/signal", "ns"}, Signal, &self, share);
  sigaction(SIGUSR1, &before, NULL);
}
