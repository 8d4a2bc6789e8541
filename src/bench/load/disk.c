// SPDX-License-Identifier: Apache-2.0
//
// disk DIRECTORY: a file of --bytes there, and --files small ones. Reads go to the device, past the
// page cache where the file system lets them (O_DIRECT), else the cache is dropped before.
//   disk/sequential-write B/s   in blocks of 1 MiB, with the fsync at the end
//   disk/sequential-read  B/s
//   disk/random-read/rate 1/s   4 KiB; /p50, /p99, /p99.9 ns; /histogram as a function of ns
//   disk/random-write/…         4 KiB and its fdatasync; likewise
//   disk/create, /stat, /unlink 1/s   empty files in one folder
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ending.h"
#include "line.h"
#include "option.h"
#include "scratch.h"
#include "subcommands.h"
#include "timing.h"

enum { kBlock = 1 << 20, kPiece = 4096, kPasses = 8, kSamples = 1 << 16 };

struct Disk {
  int fd;
  int direct;  // the same file past the page cache, or negative
  long bytes;
  char* block;
  uint64_t random;
};

static uint64_t Random(struct Disk* disk) {
  disk->random ^= disk->random << 13, disk->random ^= disk->random >> 7;
  return disk->random ^= disk->random << 17;
}

// What no device can shorten.
static void Fill(struct Disk* disk) {
  for (size_t at = 0; at < kBlock; at += sizeof(uint64_t)) {
    uint64_t value = Random(disk);
    memcpy(disk->block + at, &value, sizeof value);
  }
}

static bool WritePass(struct Disk* disk) {
  for (long at = 0; at < disk->bytes; at += kBlock) {
    if (Ended()) return errno = EINTR, false;
    ssize_t size = pwrite(disk->fd, disk->block, kBlock, at);
    if (size != kBlock) return errno = size < 0 ? errno : ENOSPC, false;
  }
  return fsync(disk->fd) == 0;
}

static bool ReadPass(struct Disk* disk) {
  int fd = disk->direct < 0 ? disk->fd : disk->direct;
  if (disk->direct < 0) posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  for (long at = 0; at < disk->bytes; at += kBlock) {
    if (Ended()) return errno = EINTR, false;
    ssize_t size = pread(fd, disk->block, kBlock, at);
    if (size != kBlock) return errno = size < 0 ? errno : EIO, false;
  }
  return true;
}

// Passes over the whole file until the time is up; one at least. False when none was possible.
static bool SayPasses(struct Disk* disk, const char* metric, bool pass(struct Disk*),
                      double seconds) {
  double rates[kPasses];
  size_t count = 0;
  uint64_t end = After(seconds);
  do {
    Fill(disk);
    uint64_t begin = Now();
    if (!pass(disk)) {
      if (!Ended()) SayCannotCall(metric, "the file", errno);
      return false;
    }
    rates[count++] = (double)disk->bytes * 1e9 / (double)(Now() - begin + 1);
  } while (count < kPasses && Now() < end);
  SayResult(metric, "B/s", rates, count);
  return true;
}

static bool ReadPiece(struct Disk* disk, long at) {
  int fd = disk->direct < 0 ? disk->fd : disk->direct;
  return pread(fd, disk->block, kPiece, at) == kPiece;
}

static bool WritePiece(struct Disk* disk, long at) {
  return pwrite(disk->fd, disk->block, kPiece, at) == kPiece && fdatasync(disk->fd) == 0;
}

static void SayPieces(struct Disk* disk, const char* metric, bool piece(struct Disk*, long),
                      double seconds) {
  struct Samples samples;
  struct Histogram histogram = {{0}};
  char name[64];
  if (!StartSamples(&samples, kSamples)) {
    SayCannotCall(metric, "malloc", errno);
    return;
  }
  if (disk->direct < 0) posix_fadvise(disk->fd, 0, 0, POSIX_FADV_DONTNEED);
  uint64_t begin = Now();
  uint64_t end = After(seconds);
  for (uint64_t now = begin; now < end && !Ended();) {
    long at = (long)(Random(disk) % (uint64_t)(disk->bytes / kPiece)) * kPiece;
    if (!piece(disk, at)) {
      if (!Ended()) SayCannotCall(metric, "the file", errno);
      FreeSamples(&samples);
      return;
    }
    uint64_t then = Now();
    AddSample(&samples, (double)(then - now));
    CountIn(&histogram, then - now);
    now = then;
  }
  if (Ended()) {
    FreeSamples(&samples);
    return;
  }
  snprintf(name, sizeof name, "%s/rate", metric);
  SayNumber(name, "1/s", (double)samples.seen * 1e9 / (double)(Now() - begin));
  SayQuantiles(metric, &samples, true);
  snprintf(name, sizeof name, "%s/histogram", metric);
  SayHistogram(name, &histogram);
  FreeSamples(&samples);
}

static void SayFile(const char* directory, long bytes, double seconds) {
  struct Disk disk = {.bytes = bytes, .random = Now() | 1};
  if (posix_memalign((void**)&disk.block, kPiece, kBlock)) {
    SayCannot("disk", "no memory");
    return;
  }
  disk.fd = OpenScratch(directory, &disk.direct);
  if (disk.fd == -1) {
    static const char* const kMetrics[] = {"sequential-write", "sequential-read", "random-read",
                                           "random-write"};
    int error = errno;
    for (size_t i = 0; i < sizeof kMetrics / sizeof kMetrics[0]; ++i) {
      char metric[64];
      snprintf(metric, sizeof metric, "disk/%s", kMetrics[i]);
      SayCannotCall(metric, "a file in the directory", error);
    }
    free(disk.block);
    return;
  }
  if (SayPasses(&disk, "disk/sequential-write", WritePass, seconds / 4)) {
    // Some file systems let it be opened so, and refuse to read.
    if (disk.direct >= 0 && !ReadPiece(&disk, 0)) close(disk.direct), disk.direct = -errno;
    if (disk.direct < 0)
      SayCannotCall("disk/direct", "O_DIRECT; the page cache is dropped instead", -disk.direct);
    SayPasses(&disk, "disk/sequential-read", ReadPass, seconds / 4);
    SayPieces(&disk, "disk/random-read", ReadPiece, seconds / 4);
    SayPieces(&disk, "disk/random-write", WritePiece, seconds / 4);
  }
  if (disk.direct >= 0) close(disk.direct);
  close(disk.fd);
  free(disk.block);
}

// `deed` with the first `most` files, or as many as there is time for; how many it was.
static long SayFiles(int folder, const char* metric, int deed(int, long), long most,
                     double seconds) {
  long count = 0;
  uint64_t begin = Now();
  for (uint64_t end = After(seconds); count < most && !Ended() && Now() < end; ++count) {
    if (deed(folder, count) == -1) {
      SayCannotCall(metric, "a file in the folder", errno);
      return count;
    }
  }
  if (!Ended() && count > 0)
    SayNumber(metric, "1/s", (double)count * 1e9 / (double)(Now() - begin + 1));
  return count;
}

static void SayMetadata(const char* directory, long most, double seconds) {
  char path[kScratchPath];
  int folder = MakeScratchFolder(directory, path);
  if (folder == -1) {
    int error = errno;
    SayCannotCall("disk/create", "a folder in the directory", error);
    SayCannotCall("disk/stat", "a folder in the directory", error);
    SayCannotCall("disk/unlink", "a folder in the directory", error);
    return;
  }
  long count = SayFiles(folder, "disk/create", MakeScratchFile, most, seconds / 3);
  if (count > 0) {
    SayFiles(folder, "disk/stat", StatScratchFile, count, seconds / 3);
    SayFiles(folder, "disk/unlink", UnlinkScratchFile, count, seconds / 3);
  }
  RemoveScratchFolder(folder, path, count);
}

int RunDisk(char** words) {
  const char* directory = NULL;
  long bytes = 64l << 20;
  long files = 5000;
  double seconds = 5;
  const struct Option options[] = {
      {.shown = "DIRECTORY", .text = &directory},
      {"--bytes", "N", .number = &bytes, .least = kBlock, .most = 1l << 44},
      {"--files", "N", .number = &files, .least = 1, .most = 10000000},
      SECONDS_OPTION(&seconds),
  };
  if (!ReadOptions("disk", options, 4, words)) return kUsage;
  struct stat status;
  if (!directory) {
    Complain("disk: DIRECTORY: expected a path, found nothing");
    return kUsage;
  }
  if (stat(directory, &status) == -1) return ComplainCall("disk: DIRECTORY", errno);
  if (!S_ISDIR(status.st_mode)) return ComplainCall("disk: DIRECTORY", ENOTDIR);
  SayFile(directory, bytes / kBlock * kBlock, seconds * 0.8);
  if (!Ended()) SayMetadata(directory, files, seconds * 0.2);
  return Ended();
}
