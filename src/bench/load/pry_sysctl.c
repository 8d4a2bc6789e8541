// SPDX-License-Identifier: Apache-2.0
//
// Settings of the kernel that no namespace has for itself. What is written is what was read.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "pry.h"

static enum Verdict WriteBack(const struct Probe* probe) {
  char value[4096];
  const ssize_t size = ReadFile(probe->path, value, sizeof(value));
  if (size < 0) return Failed(probe->path, errno);
  const int fd = open(probe->path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return Failed(probe->path, errno);
  const ssize_t written = write(fd, value, (size_t)size);
  const int error = errno;
  close(fd);
  if (written != size) return Failed(probe->path, error);
  return Reached(kTouches, "%s takes its own value back", probe->path);
}

static const struct Probe kProbes[] = {
    {"sysctl/core-pattern", WriteBack, "/proc/sys/kernel/core_pattern"},
    {"sysctl/core-pipe-limit", WriteBack, "/proc/sys/kernel/core_pipe_limit"},
    {"sysctl/modprobe", WriteBack, "/proc/sys/kernel/modprobe"},
    {"sysctl/panic", WriteBack, "/proc/sys/kernel/panic"},
    {"sysctl/panic-on-oops", WriteBack, "/proc/sys/kernel/panic_on_oops"},
    {"sysctl/sysrq", WriteBack, "/proc/sys/kernel/sysrq"},
    {"sysctl/printk", WriteBack, "/proc/sys/kernel/printk"},
    {"sysctl/pid-max", WriteBack, "/proc/sys/kernel/pid_max"},
    {"sysctl/randomize-va-space", WriteBack, "/proc/sys/kernel/randomize_va_space"},
    {"sysctl/perf-event-paranoid", WriteBack, "/proc/sys/kernel/perf_event_paranoid"},
    {"sysctl/keys-maxkeys", WriteBack, "/proc/sys/kernel/keys/maxkeys"},
    {"sysctl/overcommit-memory", WriteBack, "/proc/sys/vm/overcommit_memory"},
    {"sysctl/swappiness", WriteBack, "/proc/sys/vm/swappiness"},
    {"sysctl/panic-on-oom", WriteBack, "/proc/sys/vm/panic_on_oom"},
    {"sysctl/oom-kill-allocating-task", WriteBack, "/proc/sys/vm/oom_kill_allocating_task"},
    {"sysctl/file-max", WriteBack, "/proc/sys/fs/file-max"},
    {"sysctl/suid-dumpable", WriteBack, "/proc/sys/fs/suid_dumpable"},
    {"sysctl/protected-symlinks", WriteBack, "/proc/sys/fs/protected_symlinks"},
    {"sysctl/pipe-max-size", WriteBack, "/proc/sys/fs/pipe-max-size"},
    {"sysctl/inotify-queue", WriteBack, "/proc/sys/fs/inotify/max_queued_events"},
    {"sysctl/sysrq-trigger", AskWritable, "/proc/sysrq-trigger", kTouches},
};
const struct Group kSysctlGroup = PRY_GROUP("sysctl", kProbes);
