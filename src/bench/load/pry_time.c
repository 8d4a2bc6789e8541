// SPDX-License-Identifier: Apache-2.0
//
// Clocks, and what the kernel counts for the machine as a whole: what others do shows in it.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "pry.h"

static enum Verdict BootTime(const struct Probe* probe) {
  struct timespec now, up;
  if (Marker("boot-time") == NULL) return Unknown("the host's time of boot was not told");
  clock_gettime(CLOCK_REALTIME, &now);
  if (clock_gettime(probe->number == 0 ? CLOCK_BOOTTIME : CLOCK_MONOTONIC, &up) != 0)
    return Failed("clock_gettime", errno);
  const long since = (long)(now.tv_sec - up.tv_sec);
  const long expected = MarkerNumber(probe->number == 0 ? "boot-time" : "monotonic-start");
  // Two clocks read one after the other, whole seconds.
  if (labs(since - expected) > 3)
    return Closed("the clock began at %ld, the host's did not", since);
  return Sees("the clock began when the host's did: %ld", since);
}

static enum Verdict UptimeInProc(const struct Probe* probe) {
  (void)probe;
  char bytes[64];
  if (Marker("boot-time") == NULL) return Unknown("the host's time of boot was not told");
  if (ReadFile("/proc/uptime", bytes, sizeof(bytes)) <= 0) return Failed("/proc/uptime", errno);
  const long since = (long)time(NULL) - strtol(bytes, NULL, 10);
  if (labs(since - MarkerNumber("boot-time")) > 3) return Closed("/proc/uptime is not the host's");
  return Sees("/proc/uptime tells since when the host is up: %ld", since);
}

static enum Verdict Load(const struct Probe* probe) {
  (void)probe;
  struct sysinfo about;
  if (sysinfo(&about) != 0) return Failed("sysinfo", errno);
  return Reached(kSees, "sysinfo tells the host's load (%lu) and its number of processes (%u)",
                 about.loads[0], (unsigned)about.procs);
}

// With neither a time nor a zone nothing is set, but the permission is asked for.
static enum Verdict SetClock(const struct Probe* probe) {
  (void)probe;
  if (syscall(SYS_settimeofday, NULL, NULL) != 0) return Failed("settimeofday", errno);
  return Reached(kTouches, "settimeofday is permitted");
}

// A tick of 0 is out of range, which is looked at after the permission.
static enum Verdict AdjustClock(const struct Probe* probe) {
  (void)probe;
  struct timex change = {.modes = ADJ_TICK, .tick = 0};
  if (syscall(SYS_clock_adjtime, CLOCK_REALTIME, &change) >= 0)
    return Unknown("clock_adjtime took a tick of 0");
  if (errno != EINVAL) return Failed("clock_adjtime", errno);
  return Reached(kTouches, "clock_adjtime is permitted");
}

static enum Verdict AlarmClock(const struct Probe* probe) {
  (void)probe;
  timer_t timer;
  struct sigevent none = {.sigev_notify = SIGEV_NONE};
  if (timer_create(CLOCK_REALTIME_ALARM, &none, &timer) != 0) return Failed("timer_create", errno);
  timer_delete(timer);
  return Reached(kTouches, "may set a timer that wakes the machine");
}

static const struct Probe kProbes[] = {
    {"time/boot-time", BootTime, NULL, kSees, 0},
    {"time/monotonic", BootTime, NULL, kSees, 1},
    {"time/uptime", UptimeInProc},
    {"time/load", Load},
    {"time/loadavg", AskReadable, "/proc/loadavg", kSees},
    {"time/stat", AskReadable, "/proc/stat", kSees},
    {"time/interrupts", AskReadable, "/proc/interrupts", kSees},
    {"time/softirqs", AskReadable, "/proc/softirqs", kSees},
    {"time/schedstat", AskReadable, "/proc/schedstat", kSees},
    {"time/timer-list", AskReadable, "/proc/timer_list", kSees},
    {"time/sched-debug", AskReadable, "/sys/kernel/debug/sched/debug", kSees},
    {"time/diskstats", AskReadable, "/proc/diskstats", kSees},
    {"time/pressure-cpu", AskReadable, "/proc/pressure/cpu", kSees},
    {"time/pressure-memory", AskReadable, "/proc/pressure/memory", kSees},
    {"time/pressure-io", AskReadable, "/proc/pressure/io", kSees},
    {"time/clocksource", AskWritable,
     "/sys/devices/system/clocksource/clocksource0/current_clocksource", kTouches},
    {"time/set-clock", SetClock},
    {"time/adjust-clock", AdjustClock},
    {"time/alarm-clock", AlarmClock},
};
const struct Group kTimeGroup = PRY_GROUP("time", kProbes);
