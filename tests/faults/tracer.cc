// SPDX-License-Identifier: Apache-2.0
#include "tracer.h"

#include <elf.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <utility>

namespace kiste::faults {

namespace {

constexpr int kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                         PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
constexpr char kForeign[] = "busybox";  // what containers and hooks of the walk execute

int ErrnoOf(Kind kind) {
  switch (kind) {
    case Kind::kIo:
      return EIO;
    case Kind::kNoMemory:
      return ENOMEM;
    case Kind::kNotPermitted:
      return EPERM;
    case Kind::kInterrupted:
      return EINTR;
    default:
      return 0;
  }
}

template <typename T>
bool IsOneOf(long call, const T& calls) {
  return std::find(std::begin(calls), std::end(calls), call) != std::end(calls);
}

// They have no way to fail, or none that a program could look at.
constexpr long kNeverFail[] = {
    SYS_exit,       SYS_exit_group,      SYS_brk,     SYS_getpid,          SYS_getuid,
    SYS_geteuid,    SYS_getgid,          SYS_getegid, SYS_umask,           SYS_set_tid_address,
    SYS_rseq,       SYS_set_robust_list, SYS_gettid,  SYS_restart_syscall, SYS_rt_sigreturn,
#ifdef SYS_arch_prctl
    SYS_arch_prctl,
#endif
};
constexpr long kInterruptible[] = {
    SYS_read,    SYS_write,   SYS_pread64, SYS_recvfrom, SYS_sendto, SYS_recvmsg,
    SYS_sendmsg, SYS_accept4, SYS_wait4,   SYS_waitid,   SYS_ppoll,  SYS_flock,
#ifdef SYS_poll
    SYS_poll,
#endif
};

// The registers that name a system call and hold its result.
class Registers {
 public:
  explicit Registers(pid_t pid) : pid_(pid), piece_{&all_, sizeof all_} {
    ok_ = ptrace(PTRACE_GETREGSET, pid_, NT_PRSTATUS, &piece_) == 0;
  }
  bool ok() const { return ok_; }
#if defined(__x86_64__)
  long call() const { return static_cast<long>(all_.orig_rax); }
  void SkipCall() { all_.orig_rax = static_cast<unsigned long>(-1); }
  void SetResult(long result) { all_.rax = static_cast<unsigned long>(result); }
  void Store() const {
    iovec piece = piece_;
    ptrace(PTRACE_SETREGSET, pid_, NT_PRSTATUS, &piece);
  }
#elif defined(__aarch64__)
  long call() const { return static_cast<long>(all_.regs[8]); }
  void SkipCall() {
    int none = -1;
    iovec piece{&none, sizeof none};
    ptrace(PTRACE_SETREGSET, pid_, NT_ARM_SYSTEM_CALL, &piece);
  }
  void SetResult(long result) { all_.regs[0] = static_cast<unsigned long>(result); }
  void Store() const {
    iovec piece = piece_;
    ptrace(PTRACE_SETREGSET, pid_, NT_PRSTATUS, &piece);
  }
#else
#error "kiste knows x86_64 and aarch64"
#endif

 private:
  pid_t pid_;
  user_regs_struct all_{};
  iovec piece_;
  bool ok_ = false;
};

struct Tracee {
  int index = -1;
  bool in_call = false;
  bool failing = false;  // the result of this call is to be replaced
};

volatile sig_atomic_t time_is_over = 0;
void OnAlarm(int) { time_is_over = 1; }

void SetAlarm(int seconds) {
  struct sigaction action{};
  action.sa_handler = OnAlarm;  // no SA_RESTART: waitpid ends
  sigaction(SIGALRM, &action, nullptr);
  time_is_over = 0;
  // Again each second: one that comes just before a wait begins would not end it.
  itimerval timer{.it_interval = {seconds > 0 ? 1 : 0, 0}, .it_value = {seconds, 0}};
  setitimer(ITIMER_REAL, &timer, nullptr);
}

std::vector<char*> Pointers(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const auto& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::string ReadWhole(int fd) {
  std::string text;
  char block[4096];
  off_t at = 0;
  for (ssize_t size; (size = pread(fd, block, sizeof block, at)) > 0; at += size) {
    text.append(block, static_cast<size_t>(size));
  }
  return text;
}

[[noreturn]] void Execute(const std::vector<std::string>& command, int output) {
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(null, 0);
  dup2(output, 1);
  dup2(output, 2);
  execv(command[0].c_str(), Pointers(command).data());
  _exit(127);
}

int ExitCode(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

class Tracer {
 public:
  Tracer(const Traced& traced, Outcome& outcome) : traced_(traced), outcome_(outcome) {}

  void Run() {
    int output = memfd_create("output", MFD_CLOEXEC);
    int gate[2];
    if (pipe2(gate, O_CLOEXEC) < 0) abort();
    main_ = fork();
    if (main_ == 0) {
      char go;
      while (read(gate[0], &go, 1) < 0) {
      }
      Execute(traced_.command, output);
    }
    if (ptrace(PTRACE_SEIZE, main_, nullptr, kOptions) < 0) perror("ptrace");
    tracees_[main_] = {.index = 0};
    outcome_.calls.emplace_back();
    [[maybe_unused]] auto written = write(gate[1], "g", 1);
    SetAlarm(traced_.limit_seconds);
    Loop();
    SetAlarm(0);
    outcome_.output = ReadWhole(output);
  }

 private:
  void Loop() {
    while (true) {
      int status = 0;
      pid_t pid = waitpid(-1, &status, __WALL);
      if (pid < 0 && errno == EINTR && time_is_over != 0) return GiveUp();
      if (pid < 0 && errno != EINTR) return;
      if (pid < 0) continue;
      if (WIFEXITED(status) || WIFSIGNALED(status)) {
        tracees_.erase(pid);
        if (pid != main_) continue;
        outcome_.exit_code = ExitCode(status);
        return;  // the kernel lets go of the others when this process ends
      }
      if (WIFSTOPPED(status)) Stopped(pid, status);
    }
  }

  void GiveUp() {
    outcome_.timed_out = true;
    for (const auto& [pid, tracee] : tracees_) {
      const auto& calls = outcome_.calls[static_cast<size_t>(tracee.index)];
      outcome_.waiting += " process " + std::to_string(tracee.index) + " in " +
                          (calls.empty() ? "nothing" : CallName(calls.back()));
      kill(pid, SIGKILL);
    }
  }

  void Stopped(pid_t pid, int status) {
    int signal = WSTOPSIG(status);
    int event = status >> 16;
    auto& tracee = tracees_[pid];
    if (tracee.index < 0) {
      tracee.index = static_cast<int>(outcome_.calls.size());
      outcome_.calls.emplace_back();
    }
    long deliver = 0;
    if (signal == (SIGTRAP | 0x80)) {
      if (!AtCall(pid, tracee)) return;
    } else if (event == PTRACE_EVENT_EXEC && IsForeign(pid)) {
      tracees_.erase(pid);
      ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
      return;
    } else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
      ptrace(PTRACE_LISTEN, pid, nullptr, nullptr);  // a group-stop
      return;
    } else if (event == 0) {
      deliver = signal;
    }
    ptrace(PTRACE_SYSCALL, pid, nullptr, deliver);
  }

  // At the entry or the end of a call; false when the process is not to be resumed.
  bool AtCall(pid_t pid, Tracee& tracee) {
    tracee.in_call = !tracee.in_call;
    Registers registers(pid);
    if (!registers.ok()) return true;
    if (!tracee.in_call) {
      if (!std::exchange(tracee.failing, false)) return true;
      registers.SetResult(-ErrnoOf(traced_.fault.kind));
      registers.Store();
      return true;
    }
    auto& calls = outcome_.calls[static_cast<size_t>(tracee.index)];
    calls.push_back(registers.call());
    bool here = tracee.index == traced_.fault.process &&
                static_cast<int>(calls.size()) - 1 == traced_.fault.call;
    return !here || Fail(pid, tracee, registers);
  }

  bool Fail(pid_t pid, Tracee& tracee, Registers& registers) {
    long call = registers.call();
    if (!CanFail(call, traced_.fault.kind)) return true;
    outcome_.reached = true;
    outcome_.call = call;
    if (traced_.fault.kind == Kind::kKill) {
      kill(pid, SIGKILL);
      return false;
    }
    if (traced_.fault.kind == Kind::kStop) {
      outcome_.bystander_code = faults::Run(traced_.bystander, &outcome_.bystander_output,
                                            traced_.limit_seconds, Orphans::kLeave);
      SetAlarm(traced_.limit_seconds);
      return true;
    }
    tracee.failing = true;
    if (call == SYS_close) return true;  // it is closed even when it fails (close(2))
    registers.SkipCall();
    registers.Store();
    return true;
  }

  static bool IsForeign(pid_t pid) {
    char path[PATH_MAX];
    std::string link = "/proc/" + std::to_string(pid) + "/exe";
    ssize_t size = readlink(link.c_str(), path, sizeof path);
    return size > 0 &&
           std::string_view(path, static_cast<size_t>(size)).find(kForeign) != std::string::npos;
  }

  const Traced& traced_;
  Outcome& outcome_;
  pid_t main_ = -1;
  std::map<pid_t, Tracee> tracees_;
};

// -- the outcome as bytes, from the process that traces to the one that asked

class Writer {
 public:
  void Number(long number) { bytes.append(reinterpret_cast<char*>(&number), sizeof number); }
  void Text(const std::string& text) {
    Number(static_cast<long>(text.size()));
    bytes += text;
  }
  std::string bytes;
};

class Reader {
 public:
  explicit Reader(const std::string& bytes) : bytes_(bytes) {}
  long Number() {
    long number = 0;
    if (at_ + sizeof number > bytes_.size()) return 0;
    memcpy(&number, bytes_.data() + at_, sizeof number);
    at_ += sizeof number;
    return number;
  }
  std::string Text() {
    auto size = static_cast<size_t>(Number());
    std::string text = bytes_.substr(std::min(at_, bytes_.size()), size);
    at_ += size;
    return text;
  }

 private:
  const std::string& bytes_;
  size_t at_ = 0;
};

std::string Pack(const Outcome& outcome) {
  Writer writer;
  for (long number : {long{outcome.exit_code}, long{outcome.timed_out}, long{outcome.reached},
                      outcome.call, long{outcome.bystander_code}}) {
    writer.Number(number);
  }
  for (const auto* text : {&outcome.output, &outcome.waiting, &outcome.bystander_output})
    writer.Text(*text);
  writer.Number(static_cast<long>(outcome.calls.size()));
  for (const auto& calls : outcome.calls) {
    writer.Number(static_cast<long>(calls.size()));
    for (long call : calls) writer.Number(call);
  }
  return writer.bytes;
}

Outcome Unpack(const std::string& bytes) {
  Reader reader(bytes);
  Outcome outcome;
  outcome.exit_code = static_cast<int>(reader.Number());
  outcome.timed_out = reader.Number() != 0;
  outcome.reached = reader.Number() != 0;
  outcome.call = reader.Number();
  outcome.bystander_code = static_cast<int>(reader.Number());
  outcome.output = reader.Text();
  outcome.waiting = reader.Text();
  outcome.bystander_output = reader.Text();
  outcome.calls.resize(static_cast<size_t>(reader.Number()));
  for (auto& calls : outcome.calls) {
    calls.resize(static_cast<size_t>(reader.Number()));
    for (auto& call : calls) call = reader.Number();
  }
  return outcome;
}

}  // namespace

const char* KindName(Kind kind) {
  switch (kind) {
    case Kind::kIo:
      return "EIO";
    case Kind::kNoMemory:
      return "ENOMEM";
    case Kind::kNotPermitted:
      return "EPERM";
    case Kind::kInterrupted:
      return "EINTR";
    case Kind::kKill:
      return "SIGKILL";
    case Kind::kStop:
      return "rival";
  }
  return "?";
}

bool CanFail(long call, Kind kind) {
  if (kind == Kind::kKill || kind == Kind::kStop) return true;
  if (kind == Kind::kInterrupted) return IsOneOf(call, kInterruptible);
  return !IsOneOf(call, kNeverFail);
}

std::string CallName(long call) {
  char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(call));
  std::string text = name != nullptr ? name : "call " + std::to_string(call);
  free(name);
  return text;
}

// In a process of its own: when that ends, the kernel lets go of everybody it still traced, and
// what they leave behind comes to us, who are the subreaper.
Outcome Trace(const Traced& traced) {
  int result = memfd_create("outcome", MFD_CLOEXEC);
  pid_t tracer = fork();
  if (tracer == 0) {
    Outcome outcome;
    Tracer(traced, outcome).Run();
    std::string bytes = Pack(outcome);
    [[maybe_unused]] auto written = write(result, bytes.data(), bytes.size());
    _exit(0);
  }
  // Meanwhile orphans are buried: a pid namespace ends only when all its dead are.
  while (waitpid(-1, nullptr, 0) != tracer) {
  }
  auto outcome = Unpack(ReadWhole(result));
  close(result);
  return outcome;
}

int Run(const std::vector<std::string>& command, std::string* output, int limit_seconds,
        Orphans orphans) {
  int file = memfd_create("output", MFD_CLOEXEC);
  pid_t pid = fork();
  if (pid == 0) Execute(command, file);
  SetAlarm(limit_seconds);
  bool ended = true;
  int status = 0;
  // Orphans too: a pid namespace ends only when all its dead are buried.
  for (pid_t done = 0; done != pid;) {
    done = waitpid(orphans == Orphans::kBury ? -1 : pid, &status, 0);
    if (done >= 0 || errno != EINTR || time_is_over == 0) continue;
    ended = false;
    kill(pid, SIGKILL);
  }
  SetAlarm(0);
  if (output != nullptr) *output = ReadWhole(file);
  close(file);
  return ended ? ExitCode(status) : -1;
}

}  // namespace kiste::faults
