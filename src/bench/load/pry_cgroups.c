// SPDX-License-Identifier: Apache-2.0
//
// Control groups: what of the host's hierarchy can be seen, and whether limits can be lifted.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pry.h"

enum { kMountLimit = 32, kPathSize = 256 };

struct CgroupMount {
  char point[kPathSize];
  int v2;
};

// The hierarchies that are mounted here.
static int FindMounts(struct CgroupMount* mounts) {
  static char table[65536];
  if (ReadFile("/proc/self/mountinfo", table, sizeof(table)) < 0) return -1;
  int count = 0;
  char* rest;
  for (char* line = strtok_r(table, "\n", &rest); line != NULL && count < kMountLimit;
       line = strtok_r(NULL, "\n", &rest)) {
    const char* dash = strstr(line, " - cgroup");
    if (dash == NULL || sscanf(line, "%*s %*s %*s %*s %255s", mounts[count].point) != 1) continue;
    mounts[count++].v2 = dash[9] == '2';
  }
  return count;
}

static int Has(const struct CgroupMount* mount, const char* name) {
  char path[kPathSize * 2];
  snprintf(path, sizeof(path), "%.255s/%s", mount->point, name);
  return access(path, F_OK) == 0;
}

// Only a hierarchy's root has, or lacks, these.
static int IsTopmost(const struct CgroupMount* mount) {
  return mount->v2 ? !Has(mount, "cgroup.events") && Has(mount, "cgroup.procs")
                   : Has(mount, "release_agent");
}

static enum Verdict NoMounts(int count) {
  return count < 0 ? Failed("/proc/self/mountinfo", errno) : Closed("no cgroups are mounted");
}

static enum Verdict OwnPath(const struct Probe* probe) {
  (void)probe;
  char bytes[8192], *rest;
  if (ReadFile("/proc/self/cgroup", bytes, sizeof(bytes)) < 0)
    return Failed("/proc/self/cgroup", errno);
  const int host = InHostNamespace("cgroup");
  for (char* line = strtok_r(bytes, "\n", &rest); line != NULL;
       line = strtok_r(NULL, "\n", &rest)) {
    const char* path = strchr(line, ':');
    path = path == NULL ? NULL : strchr(path + 1, ':');
    if (path == NULL || strcmp(path, ":/") == 0) continue;
    // Within a namespace of its own a longer path is one below its own root.
    if (host == 0 && strstr(path, "/..") == NULL) continue;
    return Reached(kSees, "its cgroup's path: %.200s", path + 1);
  }
  return host == 1 ? Reached(kSees, "that it is in the host's topmost cgroup")
                   : Closed("its cgroup's path begins at itself");
}

static enum Verdict Topmost(const struct Probe* probe) {
  (void)probe;
  struct CgroupMount mounts[kMountLimit];
  const int count = FindMounts(mounts);
  if (count <= 0) return NoMounts(count);
  for (int i = 0; i < count; i++) {
    if (IsTopmost(&mounts[i]))
      return Reached(kSees, "%s is the host's topmost cgroup", mounts[i].point);
  }
  return Closed("%d hierarchies, none from its top", count);
}

// Cgroups of others: folders in a hierarchy that is shown from its top.
static enum Verdict Neighbours(const struct Probe* probe) {
  (void)probe;
  struct CgroupMount mounts[kMountLimit];
  const int count = FindMounts(mounts);
  if (count <= 0) return NoMounts(count);
  for (int i = 0; i < count; i++) {
    DIR* folder = IsTopmost(&mounts[i]) ? opendir(mounts[i].point) : NULL;
    if (folder == NULL) continue;
    char name[64] = "";
    for (struct dirent* entry; name[0] == '\0' && (entry = readdir(folder)) != NULL;) {
      if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
        snprintf(name, sizeof(name), "%.60s", entry->d_name);
    }
    closedir(folder);
    if (name[0] != '\0') return Reached(kSees, "the cgroup %s in %s", name, mounts[i].point);
  }
  return Closed("%d hierarchies, no cgroup of others", count);
}

// A file of limits opens for writing, in the cgroup that is mounted as the topmost one; nothing is
// written. `number`: 1 of v1, 2 of v2, 0 of both.
static enum Verdict Limit(const struct Probe* probe) {
  struct CgroupMount mounts[kMountLimit];
  const int count = FindMounts(mounts);
  if (count <= 0) return NoMounts(count);
  int error = ENOENT;
  for (int i = 0; i < count; i++) {
    if (probe->number != 0 && (mounts[i].v2 ? 2U : 1U) != probe->number) continue;
    char path[kPathSize * 2];
    snprintf(path, sizeof(path), "%.255s/%s", mounts[i].point, probe->path);
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
      close(fd);
      return Reached(kTouches, "%.200s opens for writing", path);
    }
    if (errno != ENOENT) error = errno;
  }
  return Failed(probe->path, error);
}

// A new cgroup at the top of the host's hierarchy; gone again at once.
static enum Verdict MakeAtTop(const struct Probe* probe) {
  (void)probe;
  struct CgroupMount mounts[kMountLimit];
  const int count = FindMounts(mounts);
  if (count <= 0) return NoMounts(count);
  int error = 0;
  for (int i = 0; i < count; i++) {
    char path[kPathSize * 2];
    snprintf(path, sizeof(path), "%.255s/kiste-pry-%ld", mounts[i].point, (long)getpid());
    if (!IsTopmost(&mounts[i])) continue;
    if (mkdir(path, 0700) == 0) {
      rmdir(path);
      return Reached(kTouches, "made a cgroup in the host's topmost one, %s", mounts[i].point);
    }
    error = errno;
  }
  return error == 0 ? Closed("no hierarchy is shown from its top") : Failed("mkdir", error);
}

static const struct Probe kProbes[] = {
    {"cgroups/own-path", OwnPath},
    {"cgroups/topmost", Topmost},
    {"cgroups/neighbours", Neighbours},
    {"cgroups/make-at-top", MakeAtTop},
    {"cgroups/processes", Limit, "cgroup.procs", kTouches, 0},
    {"cgroups/release-agent", Limit, "release_agent", kTouches, 1},
    {"cgroups/devices-allow", Limit, "devices.allow", kTouches, 1},
    {"cgroups/memory-limit-v1", Limit, "memory.limit_in_bytes", kTouches, 1},
    {"cgroups/processor-quota-v1", Limit, "cpu.cfs_quota_us", kTouches, 1},
    {"cgroups/process-limit", Limit, "pids.max", kTouches, 0},
    {"cgroups/memory-limit", Limit, "memory.max", kTouches, 2},
    {"cgroups/processor-quota", Limit, "cpu.max", kTouches, 2},
    {"cgroups/freeze", Limit, "cgroup.freeze", kTouches, 2},
    {"cgroups/subtree-control", Limit, "cgroup.subtree_control", kTouches, 2},
    {"cgroups/hierarchies", AskReadable, "/proc/cgroups", kSees},
};
const struct Group kCgroupsGroup = PRY_GROUP("cgroups", kProbes);
