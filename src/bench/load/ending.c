// SPDX-License-Identifier: Apache-2.0
#include "ending.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

#include "timing.h"

static volatile sig_atomic_t ended;

static void End(int signal) {
  (void)signal;
  ended = 1;
}

void CatchEnd(void) {
  struct sigaction action = {.sa_handler = End};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  // A peer that went away is an error of write(2), and no reason to die without a word.
  signal(SIGPIPE, SIG_IGN);
}

void ForgetEnd(void) {
  signal(SIGTERM, SIG_DFL);
  signal(SIGINT, SIG_DFL);
  ended = 0;
}

bool Ended(void) { return ended != 0; }

void WaitForEnd(double seconds) {
  const uint64_t until = seconds < 0 ? UINT64_MAX : After(seconds);
  sigset_t set;
  sigset_t before;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  // Blocked, a signal between the question and the wait stays pending, and the wait takes it.
  sigprocmask(SIG_BLOCK, &set, &before);
  for (uint64_t now = Now(); !Ended() && now < until; now = Now()) {
    uint64_t left = until - now < 3600000000000u ? until - now : 3600000000000u;
    struct timespec limit = {(time_t)(left / 1000000000), (long)(left % 1000000000)};
    if (sigtimedwait(&set, NULL, &limit) > 0) {
      ended = 1;
    } else if (errno == ENOSYS || errno == EPERM) {
      sigprocmask(SIG_SETMASK, &before, NULL);
      poll(NULL, 0, 100);
    }
  }
  sigprocmask(SIG_SETMASK, &before, NULL);
}
