// SPDX-License-Identifier: Apache-2.0
//
// Mounts: what the table tells of the host, and what can be mounted anew past what was masked. All
// mounting happens in a mount namespace of the probe's own, from which nothing comes back.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "pry.h"

static char g_table[65536];

static enum Verdict Table(const struct Probe* probe) {
  const ssize_t size = ReadFile("/proc/self/mountinfo", g_table, sizeof(g_table));
  if (size < 0) return Failed("/proc/self/mountinfo", errno);
  const char* found = probe->path != NULL ? strstr(g_table, probe->path) : NULL;
  if (probe->path == NULL) {  // the run's folder, in which everything of the run lies
    if (Marker("folder") == NULL) return Unknown("the run's folder was not told");
    found = strstr(g_table, Marker("folder"));
  }
  if (found == NULL) return Closed("the table of mounts does not tell");
  return Reached(kSees, "the table of mounts tells: %.60s", found);
}

// Field 4 is the root of the mount in its file system: a path of the host where it was bound.
static enum Verdict BoundPaths(const struct Probe* probe) {
  (void)probe;
  if (ReadFile("/proc/self/mountinfo", g_table, sizeof(g_table)) < 0)
    return Failed("/proc/self/mountinfo", errno);
  char* rest;
  for (char* line = strtok_r(g_table, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    char root[256] = "", point[256] = "", type[64] = "";
    const char* dash = strstr(line, " - ");
    if (sscanf(line, "%*s %*s %*s %255s %255s", root, point) != 2 || dash == NULL) continue;
    if (sscanf(dash, " - %63s", type) != 1) continue;
    // Masked paths are bound from the sandbox's own /proc and /dev.
    if (strcmp(root, "/") == 0 || strcmp(root, point) == 0 || strncmp(type, "proc", 4) == 0 ||
        strncmp(type, "cgroup", 6) == 0 || strcmp(type, "nsfs") == 0 ||
        strcmp(type, "sysfs") == 0 || strcmp(root, "/null") == 0)
      continue;
    if (strncmp(type, "devtmpfs", 8) == 0 || (strcmp(type, "tmpfs") == 0 && root[1] == '\0'))
      continue;
    return Reached(kSees, "%.60s is %.150s of a file system of type %s outside", point, root, type);
  }
  return Closed("no mount has a root that is a path outside");
}

static enum Verdict DeviceNames(const struct Probe* probe) {
  (void)probe;
  if (ReadFile("/proc/self/mountinfo", g_table, sizeof(g_table)) < 0)
    return Failed("/proc/self/mountinfo", errno);
  const char* found = strstr(g_table, " /dev/");
  for (; found != NULL; found = strstr(found + 1, " /dev/")) {
    // The source stands after the file system's type, behind the dash.
    const char* line = found;
    while (line > g_table && *line != '\n') line--;
    const char* dash = strstr(line, " - ");
    if (dash != NULL && dash < found) break;
  }
  if (found == NULL) return Closed("the table of mounts names no device");
  return Reached(kSees, "the table of mounts names a device: %.*s", (int)strcspn(found + 1, " \n"),
                 found + 1);
}

// Who may not do so may perhaps in a user namespace of his own, in which procfs and sysfs want to
// have a pid and a network namespace that belong to it.
static int UnshareMounts(void) {
  if (unshare(CLONE_NEWNS) == 0) return 0;
  const int error = errno;
  char map[64];
  const int size = snprintf(map, sizeof(map), "0 %u 1\n", (unsigned)geteuid());
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET) != 0) {
    errno = error;
    return -1;
  }
  const int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
  // Without a map one is nobody there, which the verdicts are then about.
  if (fd >= 0 && write(fd, map, (size_t)size) != size) errno = error;
  if (fd >= 0) close(fd);
  return 0;
}

// A namespace in which nothing propagates, and a folder to mount on; null when there is none.
static const char* EnterOwnNamespace(enum Verdict* verdict) {
  if (UnshareMounts() != 0) {
    *verdict = Failed("unshare(CLONE_NEWNS)", errno);
    return NULL;
  }
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
    *verdict = Failed("making the mounts private", errno);
    return NULL;
  }
  static const char* const kPoints[] = {"/proc", "/sys", "/dev", "/tmp", "/mnt", "/etc"};
  for (size_t i = 0; i < sizeof(kPoints) / sizeof(kPoints[0]); i++) {
    if (access(kPoints[i], F_OK) == 0) return kPoints[i];
  }
  *verdict = Unknown("no folder to mount on");
  return NULL;
}

// mount(2) of an unknown type loads a module, which would stay: only what is registered.
static int IsRegistered(const char* type) {
  char bytes[4096], line[64];
  if (ReadFile("/proc/filesystems", bytes, sizeof(bytes)) <= 0) return 0;
  snprintf(line, sizeof(line), "\t%s\n", type);
  return strstr(bytes, line) != NULL;
}

// Mounts a kernel file system and asks whether `path` in it opens: for writing where `finds` is
// kTouches.
static enum Verdict Anew(const struct Probe* probe) {
  enum Verdict verdict;
  char type[32];
  const size_t length = strcspn(probe->path, "/");
  snprintf(type, sizeof(type), "%.*s", (int)length, probe->path);
  if (!IsRegistered(type)) return Closed("the kernel has no %s", type);
  const char* point = EnterOwnNamespace(&verdict);
  if (point == NULL) return verdict;
  if (mount("none", point, type, MS_NOSUID | MS_NOEXEC, NULL) != 0) return Failed(type, errno);
  char path[256];
  snprintf(path, sizeof(path), "%s%s", point, probe->path + length);
  const int flags = probe->finds == kTouches ? O_WRONLY : O_RDONLY;
  const int fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  const int error = errno;
  if (fd >= 0) close(fd);
  umount2(point, MNT_DETACH);
  if (fd < 0) return Failed(probe->path, error);
  return Reached(probe->finds, "%s mounts anew, and %s opens there for %s", type,
                 probe->path + length, flags == O_WRONLY ? "writing" : "reading");
}

// The host's root once more. Only on the kernel where that device is mounted already: there a
// second mount is the same file system, and nothing is replayed or checked.
static enum Verdict RootDevice(const struct Probe* probe) {
  (void)probe;
  enum Verdict verdict;
  const char *text = Marker("root-device"), *type = Marker("root-type");
  if (text == NULL || type == NULL || strncmp(text, "0:", 2) == 0)
    return Unknown("the host's root is not on a block device, or was not told");
  if (!KernelIsHosts()) return Closed("the sandbox has a kernel of its own");
  const char* node = ScratchName();
  const char* colon = strchr(text, ':');
  if (node == NULL || colon == NULL) return Unknown("no place for a node");
  const dev_t device =
      makedev((unsigned)strtoul(text, NULL, 10), (unsigned)strtoul(colon + 1, NULL, 10));
  if (mknod(node, S_IFBLK | 0600, device) != 0) return Failed("mknod", errno);
  const char* point = EnterOwnNamespace(&verdict);
  const int mounted = point == NULL ? -1 : mount(node, point, type, MS_NOSUID | MS_NOEXEC, NULL);
  const int error = errno;
  unlink(node);
  if (point == NULL) return verdict;
  if (mounted != 0) return Failed("mounting the host's root", error);
  umount2(point, MNT_DETACH);
  return Touches("mounted the host's root device %s", text);
}

// Takes a read-only mount's lock away, in the probe's own namespace.
static enum Verdict Writable(const struct Probe* probe) {
  enum Verdict verdict;
  char path[128];
  if (access(probe->path, F_OK) != 0) return Failed(probe->path, errno);
  snprintf(path, sizeof(path), "%s", probe->path);
  char* slash = strchr(path + 1, '/');
  if (slash == NULL) return Unknown("no path");
  *slash = '\0';
  if (EnterOwnNamespace(&verdict) == NULL) return verdict;
  if (strcmp(path, "/proc") == 0) {
    snprintf(path, sizeof(path), "/proc/sys");
    if (mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL) != 0 && errno != EINVAL)
      return Failed("remounting /proc/sys", errno);
  } else if (mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL) != 0) {
    return Failed("remounting", errno);
  }
  return AskWritable(probe);
}

static const struct Probe kProbes[] = {
    {"mounts/run-folder", Table, NULL, kSees},
    {"mounts/overlay-upper", Table, "upperdir=/", kSees},
    {"mounts/overlay-lower", Table, "lowerdir=/", kSees},
    {"mounts/bound-paths", BoundPaths},
    {"mounts/device-names", DeviceNames},
    {"mounts/proc-anew", Anew, "proc/sys/kernel/core_pattern", kTouches},
    {"mounts/proc-anew-sysrq", Anew, "proc/sysrq-trigger", kTouches},
    {"mounts/sysfs-anew", Anew, "sysfs/kernel/uevent_helper", kTouches},
    {"mounts/sysfs-anew-power", Anew, "sysfs/power/state", kTouches},
    {"mounts/devtmpfs", Anew, "devtmpfs/kmsg", kSees},
    {"mounts/debugfs", Anew, "debugfs/.", kSees},
    {"mounts/tracefs", Anew, "tracefs/trace_marker", kTouches},
    {"mounts/securityfs", Anew, "securityfs/.", kSees},
    {"mounts/pstore", Anew, "pstore/.", kSees},
    {"mounts/root-device", RootDevice},
    {"mounts/remount-proc-sys", Writable, "/proc/sys/kernel/core_pattern", kTouches},
    {"mounts/remount-sys", Writable, "/sys/kernel/mm/ksm/run", kTouches},
};
const struct Group kMountsGroup = PRY_GROUP("mounts", kProbes);
