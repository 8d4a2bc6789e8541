// SPDX-License-Identifier: Apache-2.0
//
// A file in the directory given: sequential, random, synchronised; and many names. Reads go past the
// page cache (O_DIRECT) where the file system can.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "line.h"
#include "load.h"
#include "timing.h"

enum { kBlock = 1 << 20, kPage = 4096 };

struct Disk {
  char path[PATH_MAX - 64];  // of the file
  uint64_t bytes;
  double seconds;  // for each figure
  char *block;     // aligned, of kBlock
  struct Latencies latencies;
};

static void WriteSequentially(const struct Disk *disk) {
  int fd = open(disk->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) {
    CannotErrno("disk/sequential-write", "open");
    return;
  }
  uint64_t before = NowNs(), written = 0;
  while (written < disk->bytes && !Ended()) {
    if (write(fd, disk->block, kBlock) != kBlock) break;
    written += kBlock;
  }
  if (written < disk->bytes || fsync(fd) != 0) {
    CannotErrno("disk/sequential-write", "write or fsync");
  } else {
    Number("disk/sequential-write", "B/s", (double)written * 1e9 / (double)(NowNs() - before));
  }
  close(fd);
}

// Without the page cache, or with what is dropped from it.
static int OpenToRead(const struct Disk *disk, const char *metric) {
  int fd = open(disk->path, O_RDONLY | O_DIRECT | O_CLOEXEC);
  if (fd >= 0 && pread(fd, disk->block, kPage, 0) == kPage) return fd;
  if (fd >= 0) close(fd);
  fd = open(disk->path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    CannotErrno(metric, "open");
  } else {
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  }
  return fd;
}

static void ReadSequentially(const struct Disk *disk) {
  int fd = OpenToRead(disk, "disk/sequential-read");
  if (fd < 0) return;
  uint64_t before = NowNs(), end = before + (uint64_t)(disk->seconds * 1e9), done = 0;
  while (NowNs() < end && !Ended()) {
    ssize_t size = pread(fd, disk->block, kBlock, (off_t)(done % disk->bytes));
    if (size != kBlock) break;
    done += kBlock;
  }
  if (done > 0) Number("disk/sequential-read", "B/s", (double)done * 1e9 / (double)(NowNs() - before));
  close(fd);
}

static off_t RandomPage(const struct Disk *disk, uint64_t *random) {
  *random = *random * 6364136223846793005u + 1442695040888963407u;
  return (off_t)((*random >> 20) % (disk->bytes / kPage) * kPage);
}

static void ReadRandomly(struct Disk *disk) {
  int fd = OpenToRead(disk, "disk/random-read");
  if (fd < 0) return;
  uint64_t random = 1, end = NowNs() + (uint64_t)(disk->seconds * 1e9);
  while (NowNs() < end && !Ended()) {
    uint64_t before = NowNs();
    if (pread(fd, disk->block, kPage, RandomPage(disk, &random)) != kPage) break;
    AddLatency(&disk->latencies, NowNs() - before);
  }
  ReportLatencies(&disk->latencies, "disk/random-read", false);
  close(fd);
}

static void WriteRandomly(struct Disk *disk) {
  int fd = open(disk->path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) {
    CannotErrno("disk/random-write", "open");
    return;
  }
  uint64_t random = 2, end = NowNs() + (uint64_t)(disk->seconds * 1e9);
  while (NowNs() < end && !Ended()) {
    uint64_t before = NowNs();
    if (pwrite(fd, disk->block, kPage, RandomPage(disk, &random)) != kPage || fdatasync(fd) != 0) {
      CannotErrno("disk/random-write", "pwrite or fdatasync");
      break;
    }
    AddLatency(&disk->latencies, NowNs() - before);
  }
  ReportLatencies(&disk->latencies, "disk/random-write", false);
  close(fd);
}

// Makes, asks for and removes files, over and over; each a rate.
static void Names(const struct Disk *disk) {
  enum { kFiles = 200 };
  uint64_t made = 0, looked = 0, removed = 0, deeds = 0;
  uint64_t end = NowNs() + (uint64_t)(disk->seconds * 1e9);
  char path[PATH_MAX];
  do {
    uint64_t before = NowNs();
    for (int i = 0; i < kFiles; ++i) {
      snprintf(path, sizeof path, "%s.%d", disk->path, i);
      int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
      if (fd < 0) CannotErrno("disk/create", "open");
      close(fd);
    }
    uint64_t created = NowNs();
    struct stat about;
    for (int i = 0; i < kFiles; ++i) {
      snprintf(path, sizeof path, "%s.%d", disk->path, i);
      stat(path, &about);
    }
    uint64_t seen = NowNs();
    for (int i = 0; i < kFiles; ++i) {
      snprintf(path, sizeof path, "%s.%d", disk->path, i);
      unlink(path);
    }
    made += created - before;
    looked += seen - created;
    removed += NowNs() - seen;
    deeds += kFiles;
  } while (NowNs() < end && !Ended());
  Number("disk/create", "1/s", (double)deeds * 1e9 / (double)made);
  Number("disk/stat", "1/s", (double)deeds * 1e9 / (double)looked);
  Number("disk/unlink", "1/s", (double)deeds * 1e9 / (double)removed);
}

int Disk(int count, char **words) {
  const char *bytes_text = "67108864", *seconds_text = "2.5", *directory = NULL;
  double bytes, seconds;
  const struct Option options[] = {{"--bytes", &bytes_text}, {"--seconds", &seconds_text}};
  if (!ReadOptions(count, words, options, 2, &directory) ||
      !ReadNumber("--bytes", bytes_text, kBlock, 1e12, &bytes) ||
      !ReadNumber("--seconds", seconds_text, 0.01, 3600, &seconds)) {
    return 2;
  }
  if (directory == NULL) return WrongUse("load disk: expected a directory, found none");
  static struct Disk disk;
  if (strlen(directory) > sizeof disk.path - 64)
    return WrongUse("load disk: expected a shorter directory, found %s", directory);
  snprintf(disk.path, sizeof disk.path, "%.*s/load-disk-%d", (int)(sizeof disk.path - 32), directory,
           (int)getpid());
  disk.bytes = (uint64_t)bytes / kBlock * kBlock;
  disk.seconds = seconds / 4;
  if (posix_memalign((void **)&disk.block, kPage, kBlock) != 0 || !MakeLatencies(&disk.latencies))
    return FailWith("load disk: no memory");
  memset(disk.block, 'k', kBlock);
  CatchEnd();
  WriteSequentially(&disk);
  ReadSequentially(&disk);
  ReadRandomly(&disk);
  WriteRandomly(&disk);
  Names(&disk);
  unlink(disk.path);
  if (Ended()) return FailWith("load disk: told to end");
  End();
  return 0;
}
