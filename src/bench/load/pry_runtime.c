// SPDX-License-Identifier: Apache-2.0
//
// What the runtime that made the sandbox left within reach: its program, its environment, its
// descriptors, its state, and the names it gave.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "pry.h"

extern char** environ;

static int SameFile(const struct stat* one, const struct stat* other) {
  return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

// The program of the first process or of the parent: ours, or the runtime's (CVE-2019-5736).
// Opened for writing, never written.
static enum Verdict Executable(const struct Probe* probe) {
  char path[64];
  struct stat own, other;
  if (probe->number == 1)
    snprintf(path, sizeof(path), "/proc/1/exe");
  else
    snprintf(path, sizeof(path), "/proc/%d/exe", getppid());
  if (stat("/proc/self/exe", &own) != 0) return Failed("/proc/self/exe", errno);
  if (stat(path, &other) != 0) return Failed(path, errno);
  if (SameFile(&own, &other)) return Closed("%s is this program itself", path);
  char name[200] = "";
  struct stat here;
  if (readlink(path, name, sizeof(name) - 1) < 0) return Failed(path, errno);
  if (stat(name, &here) == 0 && SameFile(&here, &other) && InHostNamespace("mnt") == 0)
    return Closed("%s is a program of the sandbox's own files", path);
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd >= 0) close(fd);
  // A running program cannot be opened for writing (ETXTBSY); it can when that has ended, as the
  // permission is there. The mount is asked for apart: the kernel does so only later.
  struct statvfs where;
  const int busy =
      fd < 0 && errno == ETXTBSY && statvfs(path, &where) == 0 && (where.f_flag & ST_RDONLY) == 0;
  if (fd >= 0 || busy)
    return Reached(kTouches, "%s is %s, which is not ours, and may be written", path, name);
  const int readable = open(path, O_RDONLY | O_CLOEXEC);
  if (readable < 0) return Failed(path, errno);
  close(readable);
  return Reached(kSees, "%s is %s, which is not ours, and may be read", path, name);
}

static enum Verdict OwnEnvironment(const struct Probe* probe) {
  (void)probe;
  if (Token()[0] == '\0') return Unknown("no variable was planted");
  for (char** at = environ; at != NULL && *at != NULL; at++) {
    if (HasToken(*at, strlen(*at))) return Sees("a variable of who started the sandbox");
  }
  return Closed("no variable of who started the sandbox");
}

static enum Verdict OtherEnvironment(const struct Probe* probe) {
  if (Token()[0] == '\0') return Unknown("no variable was planted");
  return AskForToken(AT_FDCWD, probe->path);
}

// Names that the host has: sees when they are the same in here.
static enum Verdict HostName(const struct Probe* probe) {
  (void)probe;
  char name[256] = "";
  if (Marker("host-name") == NULL) return Unknown("the host's name was not told");
  if (gethostname(name, sizeof(name) - 1) != 0) return Failed("gethostname", errno);
  if (strcmp(name, Marker("host-name")) == 0) return Sees("the host's name");
  return Closed("a name of its own");
}

static enum Verdict SetHostName(const struct Probe* probe) {
  (void)probe;
  char name[256] = "";
  if (gethostname(name, sizeof(name) - 1) != 0) return Failed("gethostname", errno);
  const int host = InHostNamespace("uts");
  if (sethostname(name, strlen(name)) != 0) return Failed("sethostname", errno);
  if (host < 0) return Unknown("may set a name, whose is not told");
  return host == 0 ? Closed("may set its own name only") : Touches("may set the host's name");
}

static enum Verdict MachineId(const struct Probe* probe) {
  (void)probe;
  char id[64];
  const char* expected = Marker("machine-id");
  if (expected == NULL || expected[0] == '\0') return Unknown("the host's machine-id was not told");
  const ssize_t size = ReadFile("/etc/machine-id", id, sizeof(id));
  if (size < 0) return Failed("/etc/machine-id", errno);
  return size > 0 && strncmp(id, expected, strlen(expected)) == 0
             ? Sees("/etc/machine-id is the host's")
             : Closed("/etc/machine-id is another one than the host's");
}

// Files that engines put into a sandbox: what they say of what is outside.
static enum Verdict EngineFile(const struct Probe* probe) {
  char bytes[4096];
  const ssize_t size = ReadFile(probe->path, bytes, sizeof(bytes));
  if (size < 0) return Failed(probe->path, errno);
  if (size == 0) return Closed("%s is there, and empty", probe->path);
  return Sees("%s tells of the engine: %.100s", probe->path, bytes);
}

static enum Verdict StateFolder(const struct Probe* probe) {
  DIR* folder = opendir(probe->path);
  if (folder == NULL) return Failed(probe->path, errno);
  char name[64] = "";
  for (struct dirent* entry; name[0] == '\0' && (entry = readdir(folder)) != NULL;) {
    if (entry->d_name[0] != '.') snprintf(name, sizeof(name), "%.60s", entry->d_name);
  }
  closedir(folder);
  if (name[0] == '\0') return Closed("%s is empty", probe->path);
  return Sees("%s holds %s", probe->path, name);
}

static int IsOwnStream(const struct stat* file) {
  for (int fd = 0; fd <= 2; fd++) {
    struct stat stream;
    if (fstat(fd, &stream) == 0 && SameFile(&stream, file)) return 1;
  }
  return 0;
}

// The parent's and the first process's descriptors, where these are not our own program.
static enum Verdict Descriptors(const struct Probe* probe) {
  struct stat own, first;
  if (stat("/proc/self/exe", &own) != 0) return Failed("/proc/self/exe", errno);
  if (stat("/proc/1/exe", &first) != 0) return Failed("/proc/1/exe", errno);
  if (SameFile(&own, &first)) return Closed("the first process is this program itself");
  if (InHostNamespace("pid") < 0) return Unknown("the pid namespace is not told");
  DIR* folder = opendir(probe->path);
  if (folder == NULL) return Failed(probe->path, errno);
  int leading = 0, all = 0;
  for (struct dirent* entry; (entry = readdir(folder)) != NULL;) {
    struct stat file, here;
    char name[300] = "";
    if (entry->d_name[0] == '.') continue;
    all++;
    if (fstatat(dirfd(folder), entry->d_name, &file, 0) != 0) continue;
    if (readlinkat(dirfd(folder), entry->d_name, name, sizeof(name) - 1) <= 0) continue;
    // A file or folder that has no name in here.
    if ((S_ISREG(file.st_mode) || S_ISDIR(file.st_mode)) && !IsOwnStream(&file) &&
        (stat(name, &here) != 0 || !SameFile(&here, &file)))
      leading++;
  }
  closedir(folder);
  if (InHostNamespace("pid") == 1) return Sees("%d descriptors of the host's first process", all);
  if (leading == 0) return Closed("%d descriptors, none leads outside", all);
  return Sees("%d of %d descriptors lead to files outside", leading, all);
}

// Standard streams that are files or terminals with a name out there.
static enum Verdict Streams(const struct Probe* probe) {
  (void)probe;
  for (int fd = 0; fd <= 2; fd++) {
    struct stat file, here;
    char path[32], name[300] = "";
    if (fstat(fd, &file) != 0 || S_ISFIFO(file.st_mode) || S_ISSOCK(file.st_mode)) continue;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (readlink(path, name, sizeof(name) - 1) <= 0) return Failed(path, errno);
    struct stat null;
    if (stat("/dev/null", &null) == 0 && S_ISCHR(file.st_mode) && file.st_rdev == null.st_rdev)
      continue;
    if (stat(name, &here) != 0 || !SameFile(&here, &file) || InHostNamespace("mnt") == 1)
      return Reached(kSees, "stream %d is %s outside", fd, name);
  }
  return Closed("the streams are pipes, or in here");
}

static const struct Probe kProbes[] = {
    {"runtime/first-executable", Executable, NULL, kTouches, 1},
    {"runtime/parent-executable", Executable, NULL, kTouches, 0},
    {"runtime/first-environment", OtherEnvironment, "/proc/1/environ"},
    {"runtime/own-environment", OwnEnvironment},
    {"runtime/first-descriptors", Descriptors, "/proc/1/fd"},
    {"runtime/streams", Streams},
    {"runtime/host-name", HostName},
    {"runtime/set-host-name", SetHostName},
    {"runtime/machine-id", MachineId},
    {"runtime/dockerenv", EngineFile, "/.dockerenv"},
    {"runtime/containerenv", EngineFile, "/run/.containerenv"},
    {"runtime/state-runc", StateFolder, "/run/runc"},
    {"runtime/state-crun", StateFolder, "/run/crun"},
    {"runtime/state-kiste", StateFolder, "/run/kiste"},
    {"runtime/state-kiste-bench", StateFolder, "/run/kiste-bench"},
    {"runtime/state-containerd", StateFolder, "/run/containerd"},
    {"runtime/state-docker", StateFolder, "/var/lib/docker"},
};
const struct Group kRuntimeGroup = PRY_GROUP("runtime", kProbes);
