// SPDX-License-Identifier: Apache-2.0
//
// Files of the host: by path, by descriptor, by handle, around the root.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "pry.h"

static enum Verdict NotPlanted(void) { return Unknown("nothing was planted for this"); }

// `probe->path` and the secret's path behind it.
static enum Verdict Secret(const struct Probe* probe) {
  const char* secret = Marker("secret");
  char path[1024];
  if (secret == NULL) return NotPlanted();
  snprintf(path, sizeof(path), "%s%s", probe->path, secret);
  return AskForToken(AT_FDCWD, path);
}

// Writes one byte behind the secret; the host looks.
static enum Verdict SecretWrite(const struct Probe* probe) {
  (void)probe;
  const char* secret = Marker("secret");
  if (secret == NULL) return NotPlanted();
  const enum Verdict seen = AskForToken(AT_FDCWD, secret);
  if (seen != kSees) return seen;
  const int fd = open(secret, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (fd < 0) return Failed(secret, errno);
  if (write(fd, "w", 1) != 1) return Failed(secret, errno);
  return Touches("wrote to the host's %s", secret);
}

// The secret from a directory that may lie outside of the root: up as far as it goes, then down.
static enum Verdict SecretUpFrom(int directory) {
  const char* secret = Marker("secret");
  char path[1024];
  snprintf(path, sizeof(path), "../../../../../../../../../../../../../../../..%s", secret);
  return AskForToken(directory, path);
}

// runc's CVE-2024-21626: the working directory was one of the host's.
static enum Verdict WorkingDirectory(const struct Probe* probe) {
  (void)probe;
  char path[1024] = "";
  if (Marker("secret") == NULL) return NotPlanted();
  // The system call says "(unreachable)" where the C library fails.
  if (readlink("/proc/self/cwd", path, sizeof(path) - 1) > 0 &&
      strncmp(path, "(unreachable)", 13) == 0)
    return Sees("the working directory lies outside of the root: %s", path);
  return SecretUpFrom(AT_FDCWD);
}

// Every descriptor that came along, but for the standard streams and our own pipe.
static enum Verdict LeakedDescriptors(const struct Probe* probe) {
  (void)probe;
  int count = 0;
  if (Marker("secret") == NULL) return NotPlanted();
  for (int fd = 3; fd < 1024; fd++) {
    struct stat file;
    if (fstat(fd, &file) != 0) continue;
    count++;
    if (S_ISDIR(file.st_mode) && SecretUpFrom(fd) == kSees)
      return Sees("descriptor %d leads to the host's files", fd);
    char bytes[4096];
    const ssize_t size = S_ISREG(file.st_mode) ? pread(fd, bytes, sizeof(bytes), 0) : 0;
    if (size > 0 && HasToken(bytes, (size_t)size))
      return Sees("descriptor %d is the host's secret", fd);
  }
  return Closed("%d descriptors, none leads outside", count);
}

// A pipe that the run left open for whoever it starts; known by its inode.
static enum Verdict LeakedPipe(const struct Probe* probe) {
  (void)probe;
  if (Marker("pipe") == NULL) return NotPlanted();
  const unsigned long inode = strtoul(Marker("pipe"), NULL, 10);
  for (int fd = 3; fd < 1024; fd++) {
    struct stat file;
    if (fstat(fd, &file) != 0 || !S_ISFIFO(file.st_mode) || file.st_ino != inode) continue;
    if (!KernelIsHosts()) continue;
    if (write(fd, "p", 1) == 1) return Touches("wrote to the host's pipe, descriptor %d", fd);
    return Sees("descriptor %d is the host's pipe", fd);
  }
  return Closed("the host's pipe did not come along");
}

// open_by_handle_at(2): a file by its number in the file system, whatever the root is.
static enum Verdict Handle(const struct Probe* probe) {
  (void)probe;
  const char* text = Marker("secret-handle");  // TYPE:HEX
  if (text == NULL) return NotPlanted();
  // The structure ends with as many bytes as it says.
  union {
    struct file_handle head;
    unsigned char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
  } handle = {.head = {.handle_type = (int)strtol(text, NULL, 10)}};
  unsigned char* bytes_of_handle = handle.room + offsetof(struct file_handle, f_handle);
  const char* hex = strchr(text, ':');
  for (hex = hex == NULL ? "" : hex + 1; hex[0] != '\0' && hex[1] != '\0'; hex += 2) {
    const char pair[3] = {hex[0], hex[1], '\0'};
    if (handle.head.handle_bytes == MAX_HANDLE_SZ) break;
    bytes_of_handle[handle.head.handle_bytes++] = (unsigned char)strtoul(pair, NULL, 16);
  }
  static const char* const kWhere[] = {"/",    "/etc/hosts", "/etc/hostname", "/etc/resolv.conf",
                                       "/tmp", "/dev/shm",   "/run"};
  int error = ESTALE;
  for (size_t i = 0; i < sizeof(kWhere) / sizeof(kWhere[0]); i++) {
    const int mount = open(kWhere[i], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (mount < 0) continue;
    const int fd = open_by_handle_at(mount, &handle.head, O_RDONLY);
    error = fd < 0 ? errno : 0;
    close(mount);
    char bytes[4096];
    const ssize_t size = fd < 0 ? 0 : read(fd, bytes, sizeof(bytes));
    if (size > 0 && HasToken(bytes, (size_t)size))
      return Sees("the host's secret by its handle, through the file system of %s", kWhere[i]);
    if (error == EPERM || error == ENOSYS) return Failed("open_by_handle_at", error);
  }
  // Permitted, but on other file systems than the secret's.
  return Closed("no file system here has the secret's handle (%s)", strerrorname_np(error));
}

// chroot(2): "This call does not change the current working directory".
static enum Verdict Chroot(const struct Probe* probe) {
  (void)probe;
  if (Marker("secret") == NULL) return NotPlanted();
  const char* folder = ScratchName();
  if (folder == NULL || mkdir(folder, 0700) != 0) folder = "/dev";
  const int changed = chroot(folder);
  const int error = errno;
  const int made = strcmp(folder, "/dev") != 0;
  // The working directory is still above the new root.
  if (changed == 0) {
    for (int i = 0; i < 64 && chdir("..") == 0; i++) continue;
    if (chroot(".") != 0) return Failed("the second chroot", errno);
  }
  if (made) rmdir(folder);
  if (changed != 0) return Failed("chroot", error);
  return AskForToken(AT_FDCWD, Marker("secret"));
}

static enum Verdict RootDevice(const struct Probe* probe) {
  (void)probe;
  const char* text = Marker("root-device");  // MAJOR:MINOR
  if (text == NULL || strncmp(text, "0:", 2) == 0)
    return Unknown("the host's root is not on a block device, or was not told");
  const char* colon = strchr(text, ':');
  const unsigned minor_number = colon == NULL ? 0 : (unsigned)strtoul(colon + 1, NULL, 10);
  const int fd =
      OpenDevice(NULL, S_IFBLK, makedev((unsigned)strtoul(text, NULL, 10), minor_number));
  if (fd < 0 && errno == ENODATA) return Unknown("whether there is a driver is not told");
  if (fd < 0) return Failed("the host's root device", errno);
  close(fd);
  return Reached(kTouches, "the host's root device %s opens", text);
}

static enum Verdict DiskSpace(const struct Probe* probe) {
  (void)probe;
  struct statvfs where;
  if (Marker("disk") == NULL) return Unknown("the host's disk was not told");
  if (statvfs("/", &where) != 0) return Failed("statvfs", errno);
  char text[64];
  snprintf(text, sizeof(text), "%llu", (unsigned long long)where.f_blocks * where.f_frsize);
  if (strcmp(text, Marker("disk")) == 0) return Sees("the size of the host's disk: %s bytes", text);
  return Closed("the root has %s bytes, the host's disk others", text);
}

// All accesses to a file system, by whomever, told to who may mark it (fanotify(7)).
static enum Verdict Fanotify(const struct Probe* probe) {
  (void)probe;
  const int group = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK | FAN_CLOEXEC, O_RDONLY);
  if (group < 0) return Failed("fanotify_init", errno);
  if (fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN, AT_FDCWD, "/") != 0)
    return Failed("fanotify_mark", errno);
  return Reached(kSees, "told of every opened file of the root's file system");
}

static enum Verdict Fifo(const struct Probe* probe) {
  (void)probe;
  const char* path = Marker("fifo");
  if (path == NULL) return NotPlanted();
  const int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return Failed(path, errno);
  if (write(fd, "f", 1) != 1) return Failed(path, errno);
  return Touches("wrote to the host's %s", path);
}

static const struct Probe kProbes[] = {
    {"files/secret", Secret, ""},
    {"files/secret-write", SecretWrite},
    {"files/secret-through-first-process", Secret, "/proc/1/root"},
    {"files/secret-through-own-root", Secret, "/proc/self/root/.."},
    {"files/secret-through-sysroot", Secret, "/host"},
    {"files/working-directory", WorkingDirectory},
    {"files/leaked-descriptors", LeakedDescriptors},
    {"files/leaked-pipe", LeakedPipe},
    {"files/handle", Handle},
    {"files/chroot", Chroot},
    {"files/root-device", RootDevice},
    {"files/disk-space", DiskSpace},
    {"files/fanotify", Fanotify},
    {"files/fifo", Fifo},
    {"files/file-count", AskReadable, "/proc/sys/fs/file-nr", kSees},
    {"files/inode-count", AskReadable, "/proc/sys/fs/inode-nr", kSees},
    {"files/partitions", AskReadable, "/proc/partitions", kSees},
};
const struct Group kFilesGroup = PRY_GROUP("files", kProbes);
