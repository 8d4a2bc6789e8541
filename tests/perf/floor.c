// SPDX-License-Identifier: Apache-2.0
// runtime-floor: what a container costs when nobody has to be asked what it should be. The same
// namespaces, mounts, pivot_root, devices, masked paths, cgroups, capabilities and exec that
// `runc spec` asks for, written out without parsing, state or checks. No runtime can be much
// faster.
//
//   run CGROUP ROOTFS COMMAND...        exec PID CGROUP COMMAND...
//   create CGROUP ROOTFS FIFO PID_FILE COMMAND...      start FIFO      state
//   pause CGROUP    resume CGROUP       kill PID SIGNAL      delete CGROUP FIFO
//
// CGROUP is a name below the root of every hierarchy. On cgroup v1 the single-threaded child joins
// by writing 0 to `tasks`: moving oneself needs no RCU grace period, a pid in cgroup.procs does. On
// v2 clone3(CLONE_INTO_CGROUP) starts the child inside.
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define CGROUP_ROOT "/sys/fs/cgroup"
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
enum { kMaxHierarchies = 24 };

static char hierarchies[kMaxHierarchies][64];  // directories of CGROUP_ROOT that are v1 hierarchies
static int hierarchy_count;
static int unified;  // CGROUP_ROOT itself is v2

// The texts one behind the other; 0 when they do not fit. Not by stdio: a runtime can do without,
// and its start would be in what is measured.
static size_t Join(char* to, size_t size, size_t count, const char* const* texts) {
  size_t at = 0;
  for (size_t i = 0; i < count; i++) {
    const size_t length = strlen(texts[i]);
    if (length >= size - at) return 0;
    memcpy(to + at, texts[i], length);
    at += length;
  }
  to[at] = 0;
  return at;
}
#define JOIN(to, ...) \
  Join(to, sizeof(to), LENGTH(((const char*[]){__VA_ARGS__})), (const char*[]){__VA_ARGS__})

static void Complain(const char* text) {
  if (write(2, text, strlen(text)) < 0) _exit(1);
}

static void Die(const char* what, const char* object) {
  const char* why = strerrordesc_np(errno);
  char line[1024] = "runtime-floor: out of words\n";
  JOIN(line, "runtime-floor: ", what, " ", object, ": ", why ? why : "unknown error", "\n");
  Complain(line);
  _exit(1);
}

// What malloc(3) calls when its heap is broken; the C library's own brings stdio along.
void __assert_fail(const char* assertion, const char* file, unsigned line, const char* function) {
  (void)file;
  (void)line;
  Complain(assertion);
  Complain(function);
  _exit(1);
}

// ---- cgroups -----------------------------------------------------------------------------------

static void FindHierarchies(void) {
  struct statfs fs;
  if (statfs(CGROUP_ROOT, &fs)) Die("statfs", CGROUP_ROOT);
  unified = fs.f_type == CGROUP2_SUPER_MAGIC;
  if (unified) return;
  DIR* root = opendir(CGROUP_ROOT);
  if (!root) Die("opendir", CGROUP_ROOT);
  for (struct dirent* entry; (entry = readdir(root)) && hierarchy_count < kMaxHierarchies;) {
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.' || !strcmp(entry->d_name, "unified"))
      continue;
    if (JOIN(hierarchies[hierarchy_count], entry->d_name)) hierarchy_count++;
  }
  closedir(root);
}

static const char* CgroupPath(const char* hierarchy, const char* cgroup, const char* file) {
  static char path[512];
  if (!JOIN(path, CGROUP_ROOT, *hierarchy ? "/" : "", hierarchy, "/", cgroup, *file ? "/" : "",
            file))
    Die("name too long:", cgroup);
  return path;
}

static void WriteText(const char* path, const char* text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) Die("open", path);
  if (write(fd, text, strlen(text)) < 0) Die("write", path);
  close(fd);
}

static size_t ReadText(const char* path, char* text, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) Die("open", path);
  ssize_t got = read(fd, text, size - 1);
  close(fd);
  text[got > 0 ? got : 0] = 0;
  return got > 0 ? (size_t)got : 0;
}

static void CopyCpuset(const char* cgroup, const char* file) {
  char text[256];
  if (ReadText(CgroupPath("cpuset", ".", file), text, sizeof text))
    WriteText(CgroupPath("cpuset", cgroup, file), text);
}

static void AttachDeviceProgram(const char* cgroup) {
  struct bpf_insn allow[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1},
                             {.code = BPF_JMP | BPF_EXIT}};
  union bpf_attr load = {.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE, .insn_cnt = 2};
  load.insns = (uintptr_t)allow;
  load.license = (uintptr_t)"Apache-2.0";
  int program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
  int directory = open(CgroupPath("", cgroup, ""), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (program < 0 || directory < 0) Die("bpf(BPF_PROG_LOAD) for", cgroup);
  union bpf_attr attach = {.attach_type = BPF_CGROUP_DEVICE};
  attach.target_fd = (uint32_t)directory;
  attach.attach_bpf_fd = (uint32_t)program;
  if (syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach) < 0)
    Die("bpf(BPF_PROG_ATTACH)", cgroup);
  close(directory);
  close(program);
}

static void MakeCgroups(const char* cgroup) {
  static const char* const kAllowed[] = {"c *:* m",     "b *:* m",   "c 1:3 rwm", "c 1:8 rwm",
                                         "c 1:7 rwm",   "c 5:0 rwm", "c 1:5 rwm", "c 1:9 rwm",
                                         "c 136:* rwm", "c 5:2 rwm"};
  if (unified) {
    if (mkdir(CgroupPath("", cgroup, ""), 0755)) Die("mkdir", CgroupPath("", cgroup, ""));
    AttachDeviceProgram(cgroup);
    return;
  }
  for (int i = 0; i < hierarchy_count; i++) {
    const char* name = hierarchies[i];
    if (mkdir(CgroupPath(name, cgroup, ""), 0755)) Die("mkdir", CgroupPath(name, cgroup, ""));
    if (!strcmp(name, "cpuset")) {
      CopyCpuset(cgroup, "cpuset.cpus");
      CopyCpuset(cgroup, "cpuset.mems");
    } else if (!strcmp(name, "devices")) {
      WriteText(CgroupPath(name, cgroup, "devices.deny"), "a");
      for (size_t k = 0; k < LENGTH(kAllowed); k++)
        WriteText(CgroupPath(name, cgroup, "devices.allow"), kAllowed[k]);
    }
  }
}

static void RemoveCgroup(const char* path) {
  for (int tries = 0; rmdir(path); tries++) {
    if (errno != EBUSY || tries == 1000) Die("rmdir", path);
    usleep(100);
  }
}

static void RemoveCgroups(const char* cgroup) {
  if (unified) RemoveCgroup(CgroupPath("", cgroup, ""));
  for (int i = 0; i < hierarchy_count; i++) RemoveCgroup(CgroupPath(hierarchies[i], cgroup, ""));
}

static void OpenTasks(const char* cgroup, int* tasks) {
  for (int i = 0; i < hierarchy_count; i++) {
    const char* path = CgroupPath(hierarchies[i], cgroup, "tasks");
    tasks[i] = open(path, O_WRONLY | O_CLOEXEC);
    if (tasks[i] < 0) Die("open", path);
  }
}

static void JoinTasks(const int* tasks) {
  for (int i = 0; i < hierarchy_count; i++)
    if (write(tasks[i], "0", 1) != 1) Die("write 0 to tasks of", hierarchies[i]);
}

static void Freeze(const char* cgroup, int frozen) {
  char text[256];
  const char* wanted =
      unified ? (frozen ? "frozen 1" : "frozen 0") : (frozen ? "FROZEN" : "THAWED");
  if (unified)
    WriteText(CgroupPath("", cgroup, "cgroup.freeze"), frozen ? "1" : "0");
  else
    WriteText(CgroupPath("freezer", cgroup, "freezer.state"), wanted);
  const char* report = unified ? "cgroup.events" : "freezer.state";
  for (int tries = 0; tries < 10000; tries++) {
    ReadText(CgroupPath(unified ? "" : "freezer", cgroup, report), text, sizeof text);
    if (strstr(text, wanted)) return;
    usleep(50);
  }
  errno = ETIMEDOUT;
  Die("freeze", cgroup);
}

// ---- the container, from inside ----------------------------------------------------------------

static void Mount(const char* source, const char* target, const char* type, unsigned long flags,
                  const char* data) {
  if (mount(source, target, type, flags, data)) Die("mount on", target);
}

static void MountCgroups(void) {
  const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME;
  if (unified) {
    Mount("cgroup", "sys/fs/cgroup", "cgroup2", flags | MS_RDONLY, NULL);
    return;
  }
  Mount("tmpfs", "sys/fs/cgroup", "tmpfs", flags & ~(unsigned long)MS_RELATIME, "mode=755");
  for (int i = 0; i < hierarchy_count; i++) {
    char target[128];
    JOIN(target, "sys/fs/cgroup/", hierarchies[i]);
    if (mkdir(target, 0755)) Die("mkdir", target);
    const int named = !strcmp(hierarchies[i], "systemd");
    Mount("cgroup", target, "cgroup", flags | MS_RDONLY,
          named ? "none,name=systemd" : hierarchies[i]);
  }
  Mount(NULL, "sys/fs/cgroup", NULL,
        MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

static void MakeDevices(void) {
  static const struct {
    const char* path;
    unsigned major, minor;
  } kDevices[] = {{"dev/null", 1, 3},   {"dev/zero", 1, 5},    {"dev/full", 1, 7},
                  {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
  static const char* const kLinks[][2] = {{"pts/ptmx", "dev/ptmx"},
                                          {"/proc/self/fd", "dev/fd"},
                                          {"/proc/self/fd/0", "dev/stdin"},
                                          {"/proc/self/fd/1", "dev/stdout"},
                                          {"/proc/self/fd/2", "dev/stderr"}};
  umask(0);
  for (size_t i = 0; i < LENGTH(kDevices); i++)
    if (mknod(kDevices[i].path, S_IFCHR | 0666, makedev(kDevices[i].major, kDevices[i].minor)))
      Die("mknod", kDevices[i].path);
  for (size_t i = 0; i < LENGTH(kLinks); i++)
    if (symlink(kLinks[i][0], kLinks[i][1])) Die("symlink", kLinks[i][1]);
  umask(022);
}

static void MountAll(const char* rootfs) {
  const unsigned long safe = MS_NOSUID | MS_NOEXEC | MS_NODEV;
  Mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL);
  Mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL);
  if (chdir(rootfs)) Die("chdir", rootfs);
  Mount("proc", "proc", "proc", 0, NULL);
  Mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
  if (mkdir("dev/pts", 0755) || mkdir("dev/shm", 0755) || mkdir("dev/mqueue", 0755))
    Die("mkdir in", "dev");
  Mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
        "newinstance,ptmxmode=0666,mode=0620,gid=5");
  Mount("shm", "dev/shm", "tmpfs", safe, "mode=1777,size=65536k");
  Mount("mqueue", "dev/mqueue", "mqueue", safe, NULL);
  Mount("sysfs", "sys", "sysfs", safe | MS_RDONLY, NULL);
  MountCgroups();
  MakeDevices();
}

static void EnterRoot(void) {
  static const char* const kMasked[] = {
      "/proc/acpi",          "/proc/asound",     "/proc/kcore",       "/proc/keys",
      "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
      "/sys/firmware",       "/proc/scsi"};
  static const char* const kReadonly[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                          "/proc/sysrq-trigger"};
  if (syscall(SYS_pivot_root, ".", ".")) Die("pivot_root", ".");
  if (umount2(".", MNT_DETACH)) Die("umount", "the old root");
  if (chdir("/")) Die("chdir", "/");
  for (size_t i = 0; i < LENGTH(kReadonly); i++) {
    if (mount(kReadonly[i], kReadonly[i], NULL, MS_BIND | MS_REC, NULL)) {
      if (errno == ENOENT) continue;
      Die("mount on", kReadonly[i]);
    }
    Mount(NULL, kReadonly[i], NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
  }
  for (size_t i = 0; i < LENGTH(kMasked); i++) {
    if (!mount("/dev/null", kMasked[i], NULL, MS_BIND, NULL) || errno == ENOENT) continue;
    if (errno != ENOTDIR) Die("mount on", kMasked[i]);
    Mount("tmpfs", kMasked[i], "tmpfs", MS_RDONLY, NULL);
  }
  Mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
}

static void LoopbackUp(void) {
  struct ifreq request = {.ifr_flags = IFF_UP | IFF_RUNNING};
  strcpy(request.ifr_name, "lo");
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request)) Die("bring up", "lo");
  close(fd);
}

static void DropPrivileges(void) {
  static const int kKept[] = {CAP_AUDIT_WRITE, CAP_KILL, CAP_NET_BIND_SERVICE};
  uint32_t mask = 0;
  for (size_t i = 0; i < LENGTH(kKept); i++) mask |= 1U << kKept[i];
  struct rlimit files = {1024, 1024};
  if (setrlimit(RLIMIT_NOFILE, &files)) Die("setrlimit", "RLIMIT_NOFILE");
  for (int cap = 0; cap < 64; cap++) {
    if (cap < 32 && (mask >> cap & 1)) continue;
    if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0)) break;  // EINVAL: past the last capability
  }
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2] = {{mask, mask, mask}, {0, 0, 0}};
  if (syscall(SYS_capset, &header, data)) Die("capset", "");
  for (size_t i = 0; i < LENGTH(kKept); i++)
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kKept[i], 0, 0);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) Die("prctl", "PR_SET_NO_NEW_PRIVS");
}

static void Execute(char** command) {
  static char* const kEnvironment[] = {
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", NULL};
  if (syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */)) Die("close_range", "");
  execve(command[0], command, kEnvironment);
  Die("exec", command[0]);
}

// ---- the verbs ---------------------------------------------------------------------------------

static int Number(const char* text) {
  int number = 0;
  while (*text >= '0' && *text <= '9') number = number * 10 + (*text++ - '0');
  return number;
}

static void WriteNumber(const char* path, int number) {
  char digits[16];
  size_t at = sizeof digits - 1;
  digits[at] = 0;
  do digits[--at] = (char)('0' + number % 10);
  while (number /= 10);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0 || write(fd, digits + at, strlen(digits + at)) < 0 || close(fd)) Die("write", path);
}

static pid_t CloneInto(uint64_t flags, const char* cgroup) {
  struct clone_args arguments = {.flags = flags, .exit_signal = SIGCHLD};
  int directory = -1;
  if (unified) {
    directory = open(CgroupPath("", cgroup, ""), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) Die("open cgroup", cgroup);
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = (uint32_t)directory;
  }
  pid_t child = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
  if (child < 0) Die("clone3", cgroup);
  if (directory >= 0) close(directory);
  return child;
}

static int WaitFor(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) Die("waitpid", "");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// In the child: everything up to the exec. With fifo >= 0 it says so on `ready` and waits to be
// started.
static void BecomeContainer(const char* cgroup, const char* rootfs, int fifo, int ready,
                            char** command) {
  int tasks[kMaxHierarchies];
  char byte = 0;
  OpenTasks(cgroup, tasks);
  JoinTasks(tasks);
  if (unshare(CLONE_NEWCGROUP)) Die("unshare", "cgroup");
  if (setsid() < 0) Die("setsid", "");
  syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "_ses.runtime-floor");
  LoopbackUp();
  MountAll(rootfs);
  EnterRoot();
  if (sethostname("runc", 4)) Die("sethostname", "");
  DropPrivileges();
  if (fifo >= 0 && (write(ready, &byte, 1) != 1 || read(fifo, &byte, 1) != 1))
    Die("wait for", "start");
  Execute(command);
}

static const uint64_t kNamespaces =
    CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;

static int Run(char** arguments) {
  FindHierarchies();
  MakeCgroups(arguments[0]);
  pid_t child = CloneInto(kNamespaces, arguments[0]);
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    BecomeContainer(arguments[0], arguments[1], -1, -1, arguments + 2);
  }
  int code = WaitFor(child);
  RemoveCgroups(arguments[0]);
  return code;
}

static int Create(char** arguments) {
  int ready[2];
  char byte;
  FindHierarchies();
  MakeCgroups(arguments[0]);
  if (mkfifo(arguments[2], 0600)) Die("mkfifo", arguments[2]);
  int fifo = open(arguments[2], O_RDWR | O_CLOEXEC);
  if (fifo < 0 || pipe2(ready, O_CLOEXEC)) Die("open", arguments[2]);
  pid_t child = CloneInto(kNamespaces, arguments[0]);
  if (child == 0) BecomeContainer(arguments[0], arguments[1], fifo, ready[1], arguments + 4);
  close(ready[1]);
  if (read(ready[0], &byte, 1) != 1) return 1;  // the child has said why
  WriteNumber(arguments[3], (int)child);
  return 0;
}

static int Start(char** arguments) {
  WriteText(arguments[0], "s");
  return 0;
}

static int State(char** arguments) {
  (void)arguments;
  return 0;
}

static int Kill(char** arguments) {
  if (kill((pid_t)Number(arguments[0]), Number(arguments[1]))) Die("kill", arguments[0]);
  return 0;
}

static int Pause(char** arguments) {
  FindHierarchies();
  Freeze(arguments[0], 1);
  return 0;
}

static int Resume(char** arguments) {
  FindHierarchies();
  Freeze(arguments[0], 0);
  return 0;
}

static int Delete(char** arguments) {
  FindHierarchies();
  RemoveCgroups(arguments[0]);
  if (unlink(arguments[1])) Die("unlink", arguments[1]);
  return 0;
}

static int Exec(char** arguments) {
  int tasks[kMaxHierarchies];
  FindHierarchies();
  OpenTasks(arguments[1], tasks);
  int target = (int)syscall(SYS_pidfd_open, Number(arguments[0]), 0);
  if (target < 0) Die("pidfd_open", arguments[0]);
  // Before setns: the directory's path is the host's.
  struct clone_args clone = {.exit_signal = SIGCHLD};
  if (unified) {
    clone.flags = CLONE_INTO_CGROUP;
    clone.cgroup =
        (uint32_t)open(CgroupPath("", arguments[1], ""), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  }
  // With nsdelegate nobody outside of a cgroup namespace starts a process in it from inside.
  int late = unified ? CLONE_NEWCGROUP : 0;
  if (setns(target, (int)kNamespaces | (CLONE_NEWCGROUP & ~late))) Die("setns", arguments[0]);
  pid_t child = (pid_t)syscall(SYS_clone3, &clone, sizeof clone);
  if (child < 0) Die("clone3", arguments[1]);
  if (child == 0) {
    JoinTasks(tasks);
    if (late && setns(target, late)) Die("setns", "cgroup");
    DropPrivileges();
    Execute(arguments + 2);
  }
  return WaitFor(child);
}

int main(int argc, char** argv) {
  static const struct {
    const char* name;
    int arguments;
    int (*deed)(char**);
  } kVerbs[] = {{"run", 3, Run},       {"create", 5, Create}, {"start", 1, Start},
                {"state", 0, State},   {"kill", 2, Kill},     {"pause", 1, Pause},
                {"resume", 1, Resume}, {"delete", 2, Delete}, {"exec", 3, Exec}};
  for (size_t i = 0; argc > 1 && i < LENGTH(kVerbs); i++)
    if (!strcmp(argv[1], kVerbs[i].name) && argc - 2 >= kVerbs[i].arguments)
      return kVerbs[i].deed(argv + 2);
  Complain(
      "usage: runtime-floor run|create|start|state|kill|pause|resume|delete|exec ARGUMENTS "
      "(see floor.c)\n");
  return 2;
}
