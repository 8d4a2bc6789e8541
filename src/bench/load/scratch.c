// SPDX-License-Identifier: Apache-2.0
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "timing.h"

// Process numbers are not enough: several sandboxes share a folder and have the same ones.
static void Name(const char* directory, char path[kScratchPath]) {
  snprintf(path, kScratchPath, "%s/kiste-load-%d-%llx", directory, (int)getpid(),
           (unsigned long long)Now());
}

int OpenScratch(const char* directory, int* direct) {
  char path[kScratchPath];
  Name(directory, path);
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd == -1) return -1;
  if (direct) {
    *direct = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
    if (*direct == -1) *direct = -errno;
  }
  unlink(path);
  return fd;
}

int MakeScratchFolder(const char* directory, char path[kScratchPath]) {
  Name(directory, path);
  if (mkdir(path, 0700) == -1) return -1;
  int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int error = errno;
  if (folder == -1) rmdir(path);
  errno = error;
  return folder;
}

static const char* NameOf(long number) {
  static char name[24];
  snprintf(name, sizeof name, "%ld", number);
  return name;
}

int MakeScratchFile(int folder, long number) {
  int fd = openat(folder, NameOf(number), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  return fd == -1 ? -1 : close(fd);
}

int StatScratchFile(int folder, long number) {
  struct stat status;
  return fstatat(folder, NameOf(number), &status, 0);
}

int UnlinkScratchFile(int folder, long number) { return unlinkat(folder, NameOf(number), 0); }

void RemoveScratchFolder(int folder, const char* path, long count) {
  for (long i = 0; i < count; ++i) UnlinkScratchFile(folder, i);
  close(folder);
  rmdir(path);
}
