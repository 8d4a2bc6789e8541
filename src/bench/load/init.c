// SPDX-License-Identifier: Apache-2.0
//
// init: the first process of a microVM's guest, which the kernel starts as /init (or as whatever
// ends so). The words behind ` -- ` on the kernel's command line are what it runs, a program by its
// absolute path or a subcommand; %20 in them is a space. Then the machine is off. A machine without
// ACPI ends by a reboot: `reboot=…` is for the kernel, and says so to us. Where the program fails,
// its exit code goes to QEMU's device isa-debug-exit, which ends QEMU with 2 * code + 1.
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#if defined(__x86_64__)
#include <sys/io.h>
#endif
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "line.h"
#include "subcommands.h"
#include "worker.h"

enum { kMostWords = 64 };

// Where it fails the subcommand has one thing less; it says what it misses.
static void Mount(const char* type, const char* where) {
  mkdir(where, 0755);
  (void)mount(type, where, type, MS_NOSUID, NULL);
}

static void OpenConsole(void) {
  int fd = open("/dev/console", O_RDWR);
  if (fd == -1) {
    mknod("/dev/console", S_IFCHR | 0600, makedev(5, 1));
    fd = open("/dev/console", O_RDWR);
  }
  if (fd == -1) return;
  struct termios terminal;
  if (tcgetattr(fd, &terminal) == 0) {
    terminal.c_oflag &= ~(tcflag_t)OPOST;  // lines end as on a pipe
    tcsetattr(fd, TCSANOW, &terminal);
  }
  for (int standard = 0; standard < 3; ++standard) dup2(fd, standard);
  if (fd > 2) close(fd);
}

static void PutSpaces(char* word) {
  for (char* at = word; (at = strstr(at, "%20")) != NULL; ++at) {
    *at = ' ';
    memmove(at + 1, at + 3, strlen(at + 3) + 1);
  }
}

// Splits the words behind `--`; true when one before it begins with `reboot=`.
static bool ReadCommandLine(char* text, char* words[kMostWords + 1]) {
  size_t count = 0;
  bool behind = false;
  bool reboots = false;
  char* rest = NULL;
  for (char* word = strtok_r(text, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
    if (behind && count < kMostWords) {
      PutSpaces(word);
      words[count++] = word;
    } else if (strcmp(word, "--") == 0) {
      behind = true;
    } else if (strncmp(word, "reboot=", 7) == 0) {
      reboots = true;
    }
  }
  words[count] = NULL;
  return reboots;
}

static int Execute(char** words) {
  if (!words[0] || words[0][0] != '/') return RunWords(words);
  execv(words[0], words);
  return ComplainCall(words[0], errno);
}

// The exit code, 128 and the signal's number for one that was killed.
static int RunAndWait(char** words) {
  pid_t child = ForkWorker();
  if (child == 0) _exit(Execute(words));
  if (child == -1) return ComplainCall("init: fork", errno);
  int status = 0;
  // Orphans are ours, too.
  for (pid_t pid = 0; pid != child;) {
    pid = waitpid(-1, &status, 0);
    if (pid == -1 && errno != EINTR) return ComplainCall("init: waitpid", errno);
  }
  if (WIFSIGNALED(status)) {
    Complain("init: '%s' was killed by signal %d", words[0], WTERMSIG(status));
    return 128 + WTERMSIG(status);
  }
  if (status != 0) Complain("init: '%s' ended with exit code %d", words[0], WEXITSTATUS(status));
  return WEXITSTATUS(status);
}

static void TellCode(int code) {
#if defined(__x86_64__)
  enum { kDebugExitPort = 0x501 };
  if (ioperm(kDebugExitPort, 1, 1) == 0) outb((unsigned char)code, kDebugExitPort);
#else
  (void)code;
#endif
}

int RunInit(char** words) {
  (void)words;
  if (getpid() != 1) return Complain("init: this is no first process, and would end the machine");
  Mount("proc", "/proc");
  Mount("sysfs", "/sys");
  Mount("devtmpfs", "/dev");
  Mount("tmpfs", "/tmp");
  Mount("tmpfs", "/dev/shm");
  OpenConsole();
  static char text[8192];
  int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
  if (fd == -1 || read(fd, text, sizeof text - 1) == -1) ComplainCall("init: /proc/cmdline", errno);
  char* behind[kMostWords + 1];
  bool reboots = ReadCommandLine(text, behind);
  int code = RunAndWait(behind);
  sync();
  tcdrain(STDOUT_FILENO);
  if (code != 0) TellCode(code);
  if (reboot(reboots ? RB_AUTOBOOT : RB_POWER_OFF) == -1) ComplainCall("init: reboot", errno);
  return 1;
}
