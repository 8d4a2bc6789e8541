// SPDX-License-Identifier: Apache-2.0
//
// Round trips between two who wait for one another: two context switches each.
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ending.h"
#include "line.h"
#include "syscall.h"
#include "timing.h"
#include "worker.h"

struct Pipes {
  int there[2];
  int back[2];
};

static void Echo(const struct Pipes* pipes) {
  char byte;
  close(pipes->there[1]);
  close(pipes->back[0]);
  while (read(pipes->there[0], &byte, 1) == 1 && write(pipes->back[1], &byte, 1) == 1) continue;
  _exit(0);
}

static int PipeTrips(void* with, uint64_t times) {
  const struct Pipes* pipes = with;
  char byte = 0;
  for (uint64_t i = 0; i < times; ++i) {
    if (write(pipes->there[1], &byte, 1) != 1) return errno;
    ssize_t size = read(pipes->back[0], &byte, 1);
    if (size != 1) return size == 0 ? EPIPE : errno;
  }
  return 0;
}

static void MeasurePipe(double share) {
  struct Pipes pipes;
  if (pipe2(pipes.there, O_CLOEXEC) == -1 || pipe2(pipes.back, O_CLOEXEC) == -1) {
    SayCannotCall("syscall/pipe", "pipe2", errno);
    return;
  }
  pid_t pid = ForkWorker();
  if (pid == 0) Echo(&pipes);
  int error = errno;
  close(pipes.there[0]);
  close(pipes.back[1]);
  if (pid > 0)
    Measure((struct Figure){"syscall/pipe", "ns"}, PipeTrips, &pipes, share);
  else
    SayCannotCall("syscall/pipe", "fork", error);
  EndWorker(pid);
  close(pipes.there[1]);
  close(pipes.back[0]);
}

// Whose turn it is: the word that both wait on.
enum Turn { kOurs, kTheirs, kNobody };
static _Atomic uint32_t turn;

static long Futex(int operation, uint32_t value) {
  return syscall(SYS_futex, &turn, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void Pass(uint32_t to) {
  atomic_store(&turn, to);
  Futex(FUTEX_WAKE, 1);
}

static void AwaitChangeFrom(uint32_t value) {
  while (atomic_load(&turn) == value) Futex(FUTEX_WAIT, value);
}

static void* Partner(void* with) {
  for (;;) {
    AwaitChangeFrom(kOurs);
    if (atomic_load(&turn) == kNobody) return with;
    Pass(kOurs);
  }
}

static int FutexTrips(void* with, uint64_t times) {
  (void)with;
  for (uint64_t i = 0; i < times; ++i) {
    Pass(kTheirs);
    AwaitChangeFrom(kTheirs);
  }
  return 0;
}

static void MeasureFutex(double share) {
  // Refused, neither the waiting nor the threads of the C library would end.
  if (Futex(FUTEX_WAKE, 1) == -1) {
    SayCannotCall("syscall/futex", "futex", errno);
    return;
  }
  pthread_t partner;
  int error = pthread_create(&partner, NULL, Partner, NULL);
  if (error) {
    SayCannotCall("syscall/futex", "pthread_create", error);
    return;
  }
  Measure((struct Figure){"syscall/futex", "ns"}, FutexTrips, NULL, share);
  Pass(kNobody);
  pthread_join(partner, NULL);
}

void MeasureSwitches(double share) {
  MeasurePipe(share);
  MeasureFutex(share);
}
