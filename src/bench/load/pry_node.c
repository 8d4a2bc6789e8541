// SPDX-License-Identifier: Apache-2.0
//
// Device nodes and scratch names for the probes.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "pry.h"

static const char* const kFolders[] = {"/tmp", "/dev/shm", "/run", "/var/tmp", "/dev", ""};
enum { kFolderCount = sizeof(kFolders) / sizeof(kFolders[0]), kNameSize = 64 };

static void NameIn(const char* folder, char* name) {
  snprintf(name, kNameSize, "%s/.kiste-pry-%ld", folder, (long)getpid());
}

const char* ScratchName(void) {
  static char name[kNameSize];
  for (size_t i = 0; i < kFolderCount; i++) {
    NameIn(kFolders[i], name);
    const int fd = open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) continue;
    close(fd);
    unlink(name);
    return name;
  }
  return NULL;
}

// Opening a number that no driver has taken makes the kernel load a module, which would stay.
// 1 when a driver has it, 0 when none has, -1 when that cannot be told.
static int HasDriver(mode_t type, dev_t device) {
  char path[64], bytes[16384], line[32];
  if (!KernelIsHosts()) return 1;  // what a kernel of its own loads ends with it
  snprintf(path, sizeof(path), "/sys/dev/%s/%u:%u", type == S_IFBLK ? "block" : "char",
           major(device), minor(device));
  if (access(path, F_OK) == 0) return 1;
  if (access("/sys/dev/char", F_OK) == 0) return 0;
  const int is_misc = type == S_IFCHR && major(device) == 10;
  if (ReadFile(is_misc ? "/proc/misc" : "/proc/devices", bytes, sizeof(bytes)) <= 0) return -1;
  snprintf(line, sizeof(line), "%3u ", is_misc ? minor(device) : major(device));
  return strstr(bytes, line) != NULL;
}

static int OpenQuietly(const char* path) {
  return open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

// Opens the device under a name made for it: in each folder, as one may be mounted nodev and
// another not. -1 with errno.
static int OpenMade(mode_t type, dev_t device) {
  int error = EROFS;
  for (size_t i = 0; i < kFolderCount; i++) {
    char name[kNameSize];
    NameIn(kFolders[i], name);
    if (mknod(name, type | 0600, device) != 0) {
      if (errno == EPERM) error = errno;
      continue;
    }
    const int fd = OpenQuietly(name);
    error = errno;
    unlink(name);
    if (fd >= 0) return fd;
  }
  errno = error;
  return -1;
}

int OpenDevice(const char* path, mode_t type, dev_t device) {
  struct stat node;
  const int there = path != NULL && stat(path, &node) == 0 && (node.st_mode & S_IFMT) == type;
  // Drawn anew with each start of the kernel: the node says which. Not one that covers it.
  if (major(device) == 0 && there && major(node.st_rdev) != 1) device = node.st_rdev;
  const int driver = major(device) == 0 ? 0 : HasDriver(type, device);
  if (driver <= 0) {
    errno = driver == 0 ? ENODEV : ENODATA;
    return -1;
  }
  const int fd = there && node.st_rdev == device ? OpenQuietly(path) : -1;
  return fd >= 0 ? fd : OpenMade(type, device);
}

enum Verdict AskDevice(const struct Probe* probe) {
  const mode_t type = strncmp(probe->name, "devices/block", 13) == 0 ? S_IFBLK : S_IFCHR;
  const int fd = OpenDevice(probe->path, type, makedev(probe->number, probe->second));
  if (fd < 0 && errno == ENODATA) return Unknown("whether there is a driver is not told");
  if (fd < 0 && errno == EBUSY) return Reached(probe->finds, "%s is only in use", probe->path);
  if (fd < 0) return Failed(probe->path, errno);
  close(fd);
  return Reached(probe->finds, "%s opens", probe->path);
}
