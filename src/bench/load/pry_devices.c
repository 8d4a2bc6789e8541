// SPDX-License-Identifier: Apache-2.0
//
// Devices. Nothing is read from one or written to it. Those whose opening alone does something (a
// watchdog, a serial line) are not opened: access(2) asks the device cgroup as open(2) does.
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <sys/io.h>
#endif

#include "pry.h"

// Whether the node is one that every sandbox has (config-linux.md, "Default Devices").
static int IsStandard(const char* name) {
  static const char* const kStandard[] = {"null",    "zero", "full", "random",
                                          "urandom", "tty",  "ptmx", "console"};
  for (size_t i = 0; i < sizeof(kStandard) / sizeof(kStandard[0]); i++) {
    if (strcmp(name, kStandard[i]) == 0) return 1;
  }
  return 0;
}

static int Usable(const char* path) {
  struct stat node;
  struct statvfs where;
  return stat(path, &node) == 0 && (S_ISCHR(node.st_mode) || S_ISBLK(node.st_mode)) &&
         statvfs(path, &where) == 0 && (where.f_flag & ST_NODEV) == 0 && access(path, R_OK) == 0;
}

static enum Verdict Listing(const struct Probe* probe) {
  (void)probe;
  DIR* folder = opendir("/dev");
  if (folder == NULL) return Failed("/dev", errno);
  int count = 0;
  char first[64] = "";
  for (struct dirent* entry; (entry = readdir(folder)) != NULL;) {
    char path[300];
    snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
    if (entry->d_type == DT_LNK || IsStandard(entry->d_name) || !Usable(path)) continue;
    if (count++ == 0) snprintf(first, sizeof(first), "%.60s", entry->d_name);
  }
  closedir(folder);
  if (count == 0) return Closed("/dev has no usable nodes but the standard ones");
  return Reached(kTouches, "/dev has %d usable nodes beyond the standard ones, as %s", count,
                 first);
}

static enum Verdict AskAccess(const struct Probe* probe) {
  struct statvfs where;
  if (access(probe->path, W_OK) != 0) return Failed(probe->path, errno);
  if (statvfs(probe->path, &where) != 0) return Failed(probe->path, errno);
  if ((where.f_flag & ST_NODEV) != 0)
    return Closed("%s lies where devices do not open", probe->path);
  return Reached(probe->finds, "%s may be opened (not tried)", probe->path);
}

// Only for this process, which ends; no port is read or written.
static enum Verdict Ports(const struct Probe* probe) {
#if defined(__x86_64__)
  if (probe->number == 0 ? ioperm(0x80, 1, 1) != 0 : iopl(3) != 0)
    return Failed(probe->number == 0 ? "ioperm" : "iopl", errno);
  return Reached(kTouches, "may use I/O ports");
#else
  (void)probe;
  return Closed("this machine has no I/O ports");
#endif
}

static const struct Probe kProbes[] = {
    {"devices/listing", Listing},
    {"devices/kvm", AskDevice, "/dev/kvm", kTouches, 10, 232},
    {"devices/fuse", AskDevice, "/dev/fuse", kTouches, 10, 229},
    {"devices/tun", AskDevice, "/dev/net/tun", kTouches, 10, 200},
    {"devices/loop-control", AskDevice, "/dev/loop-control", kTouches, 10, 237},
    {"devices/block-loop0", AskDevice, "/dev/loop0", kTouches, 7, 0},
    {"devices/device-mapper", AskDevice, "/dev/mapper/control", kTouches, 10, 236},
    {"devices/btrfs-control", AskDevice, "/dev/btrfs-control", kTouches, 10, 234},
    {"devices/port", AskDevice, "/dev/port", kTouches, 1, 4},
    {"devices/kmsg", AskDevice, "/dev/kmsg", kSees, 1, 11},
    {"devices/tty0", AskDevice, "/dev/tty0", kTouches, 4, 0},
    {"devices/vcs", AskDevice, "/dev/vcs", kSees, 7, 0},
    {"devices/input", AskDevice, "/dev/input/event0", kSees, 13, 64},
    {"devices/uinput", AskDevice, "/dev/uinput", kTouches, 10, 223},
    {"devices/vfio", AskDevice, "/dev/vfio/vfio", kTouches, 10, 196},
    {"devices/vhost-net", AskDevice, "/dev/vhost-net", kTouches, 10, 238},
    {"devices/hardware-random", AskDevice, "/dev/hwrng", kTouches, 10, 183},
    {"devices/msr", AskDevice, "/dev/cpu/0/msr", kTouches, 202, 0},
    {"devices/cpuid", AskDevice, "/dev/cpu/0/cpuid", kSees, 203, 0},
    {"devices/block-memory-disk", AskDevice, "/dev/ram0", kTouches, 1, 0},
    {"devices/vsock", AskDevice, "/dev/vsock", kTouches, 0, 0},
    {"devices/serial", AskAccess, "/dev/ttyS0", kTouches},
    {"devices/watchdog", AskAccess, "/dev/watchdog", kTouches},
    {"devices/rtc", AskAccess, "/dev/rtc0", kTouches},
    {"devices/snapshot", AskAccess, "/dev/snapshot", kTouches},
    {"devices/graphics", AskAccess, "/dev/dri/card0", kTouches},
    {"devices/usb", AskAccess, "/dev/bus/usb/001/001", kTouches},
    {"devices/ioperm", Ports, NULL, kTouches, 0},
    {"devices/iopl", Ports, NULL, kTouches, 1},
};
const struct Group kDevicesGroup = PRY_GROUP("devices", kProbes);
