// SPDX-License-Identifier: Apache-2.0
// Does from inside a container what busybox cannot. conftest.py builds it, static; the first
// argument is the deed.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <rdma/ib_user_verbs.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static double Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// fds: the open descriptors, found without opening one.
static int Fds(char** arguments) {
  (void)arguments;
  for (int fd = 0; fd < 4096; ++fd)
    if (fcntl(fd, F_GETFD) != -1) printf("%d\n", fd);
  return 0;
}

// syscall NUMBER [ARGUMENT …]: prints "ok", or the error's number.
static int Syscall(char** arguments) {
  long values[7] = {0};
  for (size_t i = 0; i < COUNT(values) && arguments[i]; ++i)
    values[i] = strtol(arguments[i], NULL, 0);
  long outcome =
      syscall(values[0], values[1], values[2], values[3], values[4], values[5], values[6]);
  if (outcome == -1)
    printf("%d\n", errno);
  else
    printf("ok\n");
  return 0;
}

// user-namespace clone|clone3|unshare: makes one in this way; prints "made", or the error's number.
static int UserNamespace(char** arguments) {
  struct clone_args request = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
  long child = 1;
  if (strcmp(arguments[0], "clone3") == 0)
    child = syscall(SYS_clone3, &request, sizeof request);
  else if (strcmp(arguments[0], "clone") == 0)
    child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  else if (unshare(CLONE_NEWUSER) != 0)
    child = -1;
  if (child == 0) _exit(0);
  if (child < 0)
    printf("%d\n", errno);
  else
    printf("made\n");
  return 0;
}

// euid: the effective user.
static int Euid(char** arguments) {
  (void)arguments;
  printf("%d\n", (int)geteuid());
  return 0;
}

// keyring: the description of the session keyring.
static int Keyring(char** arguments) {
  (void)arguments;
  char text[256] = "";
  if (syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof text - 1) < 0) {
    printf("none: %s\n", strerror(errno));
    return 1;
  }
  printf("%s\n", text);
  return 0;
}

// keyring-label: the session keyring's label of a security module.
static int KeyringLabel(char** arguments) {
  (void)arguments;
  char text[256] = "";
  if (syscall(SYS_keyctl, KEYCTL_GET_SECURITY, KEY_SPEC_SESSION_KEYRING, text, sizeof text - 1) < 0)
    return 1;
  printf("%s\n", text);
  return 0;
}

static const double kLongest = 20;  // seconds

// swap A B STOP: exchanges the two names as fast as it can, until there is a file STOP.
static int Swap(char** arguments) {
  double end = Now() + kLongest;
  long count = 0;
  printf("ready\n");
  fflush(stdout);
  do {
    for (int i = 0; i < 64; ++i, ++count)
      if (syscall(SYS_renameat2, AT_FDCWD, arguments[0], AT_FDCWD, arguments[1], 2) != 0) {
        printf("renameat2: %s\n", strerror(errno));
        return 1;
      }
  } while (access(arguments[2], F_OK) != 0 && Now() < end);
  printf("%ld\n", count);
  return 0;
}

static int TryToOverwrite(const char* path) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  ssize_t written = write(fd, "OVERWRITTEN", 11);
  close(fd);
  return written == 11 ? 0 : errno;
}

// overwrite PATH: prints "ok" or the error's number.
static int Overwrite(char** arguments) {
  int outcome = TryToOverwrite(arguments[0]);
  if (outcome == 0)
    printf("ok\n");
  else
    printf("%d\n", outcome);
  return 0;
}

static int held[512];
static size_t held_count;

// Takes hold of a strange process's program, so that it can be written to once nothing executes it
// any more.
static void HoldProgram(const char* pid) {
  char path[300];
  snprintf(path, sizeof path, "/proc/%s/exe", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  struct stat program, own;
  stat("/proc/self/exe", &own);
  if (fstat(fd, &program) != 0 || (program.st_ino == own.st_ino && program.st_dev == own.st_dev)) {
    close(fd);
    return;
  }
  for (size_t i = 0; i < held_count; ++i) {
    struct stat known;
    if (fstat(held[i], &known) == 0 && known.st_ino == program.st_ino &&
        known.st_dev == program.st_dev) {
      close(fd);
      return;
    }
  }
  printf("program %llu %llu\n", (unsigned long long)program.st_dev,
         (unsigned long long)program.st_ino);
  if (held_count < COUNT(held)) held[held_count++] = fd;
}

// Looks for a way out through what a strange process has open: `marker` is the path of a file on
// the host.
static void LookThrough(const char* pid, const char* marker) {
  static const char* doors[] = {"root", "cwd"};
  char path[600];
  for (size_t i = 0; i < COUNT(doors); ++i) {
    snprintf(path, sizeof path, "/proc/%s/%s/../../../../../../../..%s", pid, doors[i], marker);
    if (access(path, F_OK) == 0) printf("escape through %s\n", path);
  }
  snprintf(path, sizeof path, "/proc/%s/fd", pid);
  DIR* folder = opendir(path);
  if (!folder) return;
  struct dirent* entry;
  while ((entry = readdir(folder))) {
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "/proc/%s/fd/%s/../../../../../../../..%s", pid, entry->d_name,
             marker);
    if (access(path, F_OK) == 0) printf("escape through %s\n", path);
  }
  closedir(folder);
}

// Whether a strange process could be stopped; PTRACE_DETACH lets it go.
static int Stop(long pid) {
  if (ptrace(PTRACE_SEIZE, (pid_t)pid, 0, 0) != 0) return 0;
  ptrace(PTRACE_INTERRUPT, (pid_t)pid, 0, 0);
  int status;
  return waitpid((pid_t)pid, &status, __WALL) >= 0 && WIFSTOPPED(status);
}

// Stops a strange process, looks whose program it runs, and lets it go.
static void Trace(long pid) {
  if (!Stop(pid)) return;
  char path[64], target[256] = "", own[256] = "";
  snprintf(path, sizeof path, "/proc/%ld/exe", pid);
  ssize_t length = readlink(path, target, sizeof target - 1);
  if (readlink("/proc/self/exe", own, sizeof own - 1) > 0 && length > 0 &&
      strncmp(target, "/bin/", 5) != 0 && strcmp(target, own) != 0)
    printf("traced %s\n", target);
  ptrace(PTRACE_DETACH, (pid_t)pid, 0, 0);
}

// hunt STOP MARKER [trace]: goes for every process that appears, until there is a file STOP; then
// writes to all programs that it got hold of.
static int Hunt(char** arguments) {
  double end = Now() + kLongest;
  int trace = arguments[2] != NULL;
  printf("ready\n");
  fflush(stdout);
  while (access(arguments[0], F_OK) != 0 && Now() < end) {
    DIR* folder = opendir("/proc");
    struct dirent* entry;
    while (folder && (entry = readdir(folder))) {
      long pid = strtol(entry->d_name, NULL, 10);
      if (pid <= 1 || pid == getpid()) continue;
      HoldProgram(entry->d_name);
      LookThrough(entry->d_name, arguments[1]);
      if (trace) Trace(pid);
    }
    if (folder) closedir(folder);
  }
  for (size_t i = 0; i < held_count; ++i) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", held[i]);
    int outcome = TryToOverwrite(path);
    printf("%s\n", outcome == 0 ? "overwritten" : strerror(outcome));
  }
  printf("over\n");
  return 0;
}

// The newest process id of this namespace (proc(5), the last field of loadavg); 0 when it is not to
// be had.
static long NewestPid(void) {
  char line[128] = "";
  FILE* load = fopen("/proc/loadavg", "r");
  if (!load) return 0;
  char* read = fgets(line, sizeof line, load);
  fclose(load);
  const char* last = read ? strrchr(line, ' ') : NULL;
  return last ? strtol(last, NULL, 10) : 0;
}

// pounce STOP NAME: traces the newest processes of all until there is a file STOP, and tells of
// those that it got hold of and that are not NAME.
static int Pounce(char** arguments) {
  double end = Now() + kLongest;
  printf("ready\n");
  fflush(stdout);
  while (access(arguments[0], F_OK) != 0 && Now() < end) {
    long newest = NewestPid();
    if (newest == 0) return 1;
    for (long pid = newest; pid < newest + 3; ++pid) {
      char path[64], name[64] = "";
      if (!Stop(pid)) continue;
      snprintf(path, sizeof path, "/proc/%ld/comm", pid);
      FILE* comm = fopen(path, "r");
      if (comm && fscanf(comm, "%63s", name) == 1 && strcmp(name, arguments[1]) != 0)
        printf("traced %s\n", name);
      if (comm) fclose(comm);
      ptrace(PTRACE_DETACH, (pid_t)pid, 0, 0);
    }
  }
  printf("over\n");
  return 0;
}

// withhold PID: traces it and never waits for it, so that nobody else gets its exit.
static int Withhold(char** arguments) {
  if (ptrace(PTRACE_SEIZE, (pid_t)strtol(arguments[0], NULL, 10), 0, 0) != 0) return 1;
  printf("ready\n");
  fflush(stdout);
  alarm((unsigned)kLongest);
  pause();
  return 0;
}

// abstract NAME: listens on an abstract unix socket, which belongs to the network namespace, and
// waits.
static int Abstract(char** arguments) {
  struct {
    unsigned short family;
    char path[100];
  } address = {AF_UNIX, ""};
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  strncpy(address.path + 1, arguments[0], sizeof address.path - 2);
  if (bind(fd, (struct sockaddr*)&address, (socklen_t)(3 + strlen(arguments[0]))) != 0) return 1;
  printf("ready\n");
  fflush(stdout);
  pause();
  return 0;
}

// notify MESSAGE …: each to NOTIFY_SOCKET as one datagram (sd_notify(3)).
static int Notify(char** arguments) {
  struct sockaddr_un address = {AF_UNIX, ""};
  const char* path = getenv("NOTIFY_SOCKET");
  int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (!path || strlen(path) >= sizeof address.sun_path) return 1;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  for (; *arguments; ++arguments)
    if (sendto(fd, *arguments, strlen(*arguments), 0, (struct sockaddr*)&address, sizeof address) <
        0)
      return 1;
  return 0;
}

// serve FD: greets the first who connects to the listening socket.
static int Serve(char** arguments) {
  int client = accept((int)strtol(arguments[0], NULL, 10), NULL, NULL);
  return client < 0 || write(client, "from inside\n", 12) != 12;
}

// lock FILE: holds a lock on it; FILE.held is there once it does.
static int Lock(char** arguments) {
  char held[4096];
  int fd = open(arguments[0], O_RDWR | O_CREAT, 0600);
  if (fd < 0 || flock(fd, LOCK_EX) != 0) return 1;
  snprintf(held, sizeof held, "%s.held", arguments[0]);
  if (mkdir(held, 0700) != 0) return 1;
  pause();
  return 0;
}

// count-to PATH: numbers as datagrams to a unix socket, without end.
static int CountTo(char** arguments) {
  struct sockaddr_un address = {AF_UNIX, ""};
  int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (strlen(arguments[0]) >= sizeof address.sun_path) return 1;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", arguments[0]);
  if (connect(fd, (struct sockaddr*)&address, sizeof address) != 0) return 1;
  for (unsigned long i = 1;; ++i) {
    char number[24];
    int length = snprintf(number, sizeof number, "%lu", i);
    if (send(fd, number, (size_t)length, 0) != length) return 1;
    usleep(50000);
  }
}

// verbs DEVICE COUNT: asks a device for remote memory access for a context COUNT times (what
// ibv_open_device(3) does); prints each answer. The kernel counts them against rdma.max.
static int Verbs(char** arguments) {
  for (long i = strtol(arguments[1], NULL, 10); i > 0; --i) {
    struct ib_uverbs_get_context_resp response;
    struct {
      struct ib_uverbs_cmd_hdr header;
      struct ib_uverbs_get_context context;
    } ask = {{IB_USER_VERBS_CMD_GET_CONTEXT, sizeof ask / 4, sizeof response / 4},
             {.response = (uintptr_t)&response}};
    int fd = open(arguments[0], O_RDWR);
    if (fd < 0) return 1;
    printf("%s\n", write(fd, &ask, sizeof ask) == sizeof ask ? "a context" : strerror(errno));
  }
  return 0;
}

static const struct {
  const char* name;
  int (*deed)(char** arguments);
  int arguments;
} kDeeds[] = {
    {"fds", Fds, 0},       {"syscall", Syscall, 1},     {"user-namespace", UserNamespace, 1},
    {"euid", Euid, 0},     {"keyring", Keyring, 0},     {"keyring-label", KeyringLabel, 0},
    {"swap", Swap, 3},     {"overwrite", Overwrite, 1}, {"hunt", Hunt, 2},
    {"pounce", Pounce, 2}, {"abstract", Abstract, 1},   {"notify", Notify, 1},
    {"serve", Serve, 1},   {"lock", Lock, 1},           {"count-to", CountTo, 1},
    {"verbs", Verbs, 2},   {"withhold", Withhold, 1},
};

int main(int count, char** arguments) {
  for (size_t i = 0; i < COUNT(kDeeds); ++i)
    if (count > 1 && strcmp(arguments[1], kDeeds[i].name) == 0 && count - 2 >= kDeeds[i].arguments)
      return kDeeds[i].deed(arguments + 2);
  fprintf(stderr, "probe: what?\n");
  return 2;
}
