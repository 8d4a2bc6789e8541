// SPDX-License-Identifier: Apache-2.0
//
// The first process of a virtual machine: mounts what programs expect, runs the subcommand that
// stands behind " -- " on the kernel's command line (the kernel hands it over as arguments; %20 is a
// space) and resets the machine, at which its monitor ends.
#include "init.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loopback.h"

static void Decode(char *word) {
  char *to = word;
  for (; *word != 0; ++word) {
    if (strncmp(word, "%20", 3) == 0) {
      *to++ = ' ';
      word += 2;
    } else {
      *to++ = *word;
    }
  }
  *to = 0;
}

static void MountAll(void) {
  static const struct {
    const char *type, *target;
  } kMounts[] = {{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/tmp"}};
  for (size_t i = 0; i < sizeof kMounts / sizeof *kMounts; ++i) {
    mkdir(kMounts[i].target, 0755);
    mount(kMounts[i].type, kMounts[i].target, kMounts[i].type, MS_NOSUID, NULL);
  }
  mkdir("/dev/shm", 01777);
  mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, NULL);
}

int Init(int count, char **words) {
  MountAll();
  BringLoopbackUp();
  int console = open("/dev/console", O_RDWR | O_CLOEXEC);
  for (int fd = 0; console >= 0 && fd < 3; ++fd) dup2(console, fd);
  for (int i = 0; i < count; ++i) Decode(words[i]);
  pid_t child = count > 0 ? fork() : -1;
  if (child == 0) {
    execv(words[0], words);
    _exit(127);
  }
  // Orphans of the command are ours, too.
  for (pid_t ended = 0; child > 0 && ended != child;) ended = wait(NULL);
  sync();
  // Monitors of small machines end at a reset; switching off is ACPI's, which these do not have.
  reboot(RB_AUTOBOOT);
  reboot(RB_POWER_OFF);
  return 1;
}
