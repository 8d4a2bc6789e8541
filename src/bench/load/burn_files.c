// SPDX-License-Identifier: Apache-2.0
//
// Neighbours that take what a file system has: the device, the page cache, inodes.
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "burn.h"
#include "ending.h"
#include "line.h"
#include "scratch.h"
#include "timing.h"

enum { kBlock = 1 << 20 };

static char block[kBlock];

static void FillBlock(void) {
  uint64_t random = 88172645463325252u;
  for (int i = 0; i < kBlock; ++i) {
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    block[i] = (char)random;
  }
}

int BurnDisk(struct Burn* burn) {
  long bytes = burn->bytes ? burn->bytes : 64l << 20;
  FillBlock();
  int fd = OpenScratch(burn->directory, NULL);
  if (fd == -1) return errno;
  for (bool said = false;; said = true) {
    for (long at = 0; at + kBlock <= bytes; at += kBlock) {
      if (pwrite(fd, block, kBlock, at) == -1 || fsync(fd) == -1) return errno;
      if (at == 0 && !said) SayBurning(burn);
    }
  }
}

int BurnPageCache(struct Burn* burn) {
  long bytes = burn->bytes ? burn->bytes : 512l << 20;
  FillBlock();
  int fd = OpenScratch(burn->directory, NULL);
  if (fd == -1) return errno;
  for (bool said = false;; said = true) {
    for (long at = 0; at + kBlock <= bytes; at += kBlock) {
      // A full device is a smaller file.
      if (pwrite(fd, block, kBlock, at) == -1) {
        if (errno != ENOSPC || at == 0) return errno;
        bytes = at;
      }
      if (at == 0 && !said) SayBurning(burn);
    }
    for (long at = 0; at + kBlock <= bytes; at += kBlock)
      if (pread(fd, block, kBlock, at) == -1) return errno;
  }
}

static int HoldInodes(struct Burn* burn, int folder, long most, long* count) {
  uint64_t end = After(kFillSeconds);
  for (; *count < most && !Ended() && Now() < end; ++*count) {
    if (MakeScratchFile(folder, *count) == 0) continue;
    if (*count == 0) return errno;
    break;  // refused: that is what we came for
  }
  SayNumber("burn/inodes/held", "count", (double)*count);
  SayBurning(burn);
  if (*count == 0) return 0;  // ended before it began
  for (long i = 0; !Ended(); i = (i + 1) % *count) {
    // Whatever became free in between another one may have taken.
    UnlinkScratchFile(folder, i);
    MakeScratchFile(folder, i);
  }
  return 0;
}

int BurnInodes(struct Burn* burn) {
  // The files have names, and must be removed: whoever ends this one lets it do so.
  CatchEnd();
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  char path[kScratchPath];
  int folder = MakeScratchFolder(burn->directory, path);
  if (folder == -1) return errno;
  long count = 0;
  int error = HoldInodes(burn, folder, burn->most ? burn->most : 100000, &count);
  RemoveScratchFolder(folder, path, count);
  return error;
}
