// SPDX-License-Identifier: Apache-2.0
//
// What the probes judge by: markers, whose kernel and whose namespaces these are, files, devices.
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "pry.h"

enum { kMarkerLimit = 64 };

static const char* g_markers[kMarkerLimit];
static size_t g_marker_count;
static char g_words[400];

const char* Words(void) { return g_words; }

// A finding is one line: what others wrote (names, contents) must not break it.
__attribute__((format(printf, 1, 0))) static void SetWords(const char* format, va_list list) {
  vsnprintf(g_words, sizeof(g_words), format, list);
  for (char* at = g_words; *at != '\0'; at++) {
    if ((unsigned char)*at < 0x20 || *at == 0x7f) *at = '?';
  }
}

#define ANSWER(function, verdict)                  \
  enum Verdict function(const char* format, ...) { \
    va_list list;                                  \
    va_start(list, format);                        \
    SetWords(format, list);                        \
    va_end(list);                                  \
    return verdict;                                \
  }
ANSWER(Closed, kClosed)
ANSWER(Sees, kSees)
ANSWER(Touches, kTouches)
ANSWER(Unknown, kUnknown)

enum Verdict Reached(enum Verdict verdict, const char* format, ...) {
  va_list list;
  va_start(list, format);
  SetWords(format, list);
  va_end(list);
  if (KernelIsHosts()) return verdict;
  char words[sizeof(g_words)];
  memcpy(words, g_words, sizeof(words));
  return Closed("only of the sandbox's own kernel: %.300s", words);
}

enum Verdict Failed(const char* what, int error) {
  static const int kRefusals[] = {EPERM,        EACCES,     ENOSYS,          ENOENT,
                                  EROFS,        ENODEV,     ENXIO,           ESRCH,
                                  EAFNOSUPPORT, ENOTDIR,    EOPNOTSUPP,      EPROTONOSUPPORT,
                                  ENOKEY,       EPROTOTYPE, ESOCKTNOSUPPORT, ENOTTY};
  const char* name = strerrorname_np(error);
  if (name == NULL) name = "an unknown error";
  for (size_t i = 0; i < sizeof(kRefusals) / sizeof(kRefusals[0]); i++) {
    if (kRefusals[i] == error) return Closed("%s: %s", what, name);
  }
  // Which arguments another kernel knows is its own affair: the call came to nothing.
  if (error == EINVAL && !KernelIsHosts()) return Closed("%s: %s of its own kernel", what, name);
  return Unknown("%s: %s", what, name);
}

int AddMarker(const char* word) {
  if (strchr(word, '=') == NULL || g_marker_count == kMarkerLimit) return 0;
  g_markers[g_marker_count++] = word;
  return 1;
}

const char* Marker(const char* name) {
  const size_t length = strlen(name);
  for (size_t i = 0; i < g_marker_count; i++) {
    if (strncmp(g_markers[i], name, length) == 0 && g_markers[i][length] == '=')
      return g_markers[i] + length + 1;
  }
  return NULL;
}

long MarkerNumber(const char* name) {
  const char* value = Marker(name);
  return value == NULL ? 0 : strtol(value, NULL, 0);
}

const char* Token(void) {
  const char* token = Marker("token");
  return token == NULL ? "" : token;
}

int HasToken(const void* bytes, size_t size) {
  const size_t length = strlen(Token());
  return length > 0 && memmem(bytes, size, Token(), length) != NULL;
}

ssize_t ReadFileAt(int directory, const char* path, char* bytes, size_t size) {
  // O_NONBLOCK: a FIFO or a device in the file's place must not hold us up.
  const int fd = openat(directory, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return -1;
  size_t got = 0;
  ssize_t more = 0;
  while (got < size - 1 && (more = read(fd, bytes + got, size - 1 - got)) > 0) got += (size_t)more;
  const int error = errno;
  close(fd);
  bytes[got] = '\0';
  errno = error;
  return more < 0 && got == 0 ? -1 : (ssize_t)got;
}

ssize_t ReadFile(const char* path, char* bytes, size_t size) {
  return ReadFileAt(AT_FDCWD, path, bytes, size);
}

// The boot's random name: different for every start of every kernel. Some runtimes put a file of
// their own in its place, which is not procfs then and says nothing.
int KernelIsHosts(void) {
  static const char kPath[] = "/proc/sys/kernel/random/boot_id";
  const char* expected = Marker("boot-id");
  struct statfs where;
  char id[64];
  if (expected != NULL && statfs(kPath, &where) == 0 && where.f_type == PROC_SUPER_MAGIC &&
      ReadFile(kPath, id, sizeof(id)) > 0)
    return strncmp(id, expected, strlen(expected)) == 0;
  const char* kernel = Marker("kernel");
  struct utsname name;
  if (kernel == NULL || uname(&name) != 0) return 1;
  char own[sizeof(name.release) + sizeof(name.version) + 2];
  snprintf(own, sizeof(own), "%s %s", name.release, name.version);
  return strcmp(own, kernel) == 0;
}

int InHostNamespace(const char* kind) {
  if (!KernelIsHosts()) return 0;
  char name[32];
  snprintf(name, sizeof(name), "ns-%s", kind);
  const char* expected = Marker(name);
  char path[64], link[64];
  snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
  const ssize_t length = readlink(path, link, sizeof(link) - 1);
  if (expected == NULL || length < 0) return -1;
  link[length] = '\0';
  const char* bracket = strchr(link, '[');
  return bracket == NULL ? -1 : strtoul(bracket + 1, NULL, 10) == strtoul(expected, NULL, 10);
}

enum Verdict AskReadable(const struct Probe* probe) {
  char bytes[4097];  // some files take multiples of 8 only
  struct statfs where;
  const ssize_t size = ReadFile(probe->path, bytes, sizeof(bytes));
  if (size < 0) return Failed(probe->path, errno);
  if (size == 0) return Closed("%s is empty", probe->path);
  // A runtime that answers for the kernel puts a file or a FUSE file system over it.
  if (statfs(probe->path, &where) == 0 && where.f_type != PROC_SUPER_MAGIC &&
      where.f_type != SYSFS_MAGIC && where.f_type != DEBUGFS_MAGIC &&
      where.f_type != TRACEFS_MAGIC && where.f_type != SECURITYFS_MAGIC)
    return Closed("%s is covered by another file", probe->path);
  return Reached(probe->finds, "%s is readable", probe->path);
}

enum Verdict AskWritable(const struct Probe* probe) {
  const int fd = open(probe->path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return Failed(probe->path, errno);
  struct stat file;
  const int is_device = fstat(fd, &file) == 0 && S_ISCHR(file.st_mode);
  close(fd);
  if (is_device) return Closed("%s is covered by a device", probe->path);
  return Reached(probe->finds, "%s opens for writing", probe->path);
}

enum Verdict AskForToken(int directory, const char* path) {
  char bytes[4096];
  const ssize_t size = ReadFileAt(directory, path, bytes, sizeof(bytes));
  if (size < 0) return Failed(path, errno);
  if (!HasToken(bytes, (size_t)size)) return Closed("%s does not hold the host's secret", path);
  return Sees("%s holds the host's secret", path);
}
