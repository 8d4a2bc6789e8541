// SPDX-License-Identifier: Apache-2.0
#include "sys/criu/service.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/strings.h"
#include "sys/file.h"
#include "sys/memfd.h"
#include "sys/pidfd.h"
#include "sys/socket.h"

namespace kiste::sys::criu {

namespace {

constexpr int kEndMs = 10'000;            // how long criu may take to end once it was told so
constexpr size_t kMaxMessage = 64 << 10;  // criu's own limit is 32 KiB

// This process's visit to a mount namespace of criu's own. criu is started in there; its folders
// are opened there too, by this process, in whose /proc criu looks for them.
class Visit {
 public:
  static Result<Visit> Begin(const Start& start) {
    Visit visit;
    if (start.root.empty()) return visit;
    visit.root_ = TRY(Open("/", O_PATH | O_DIRECTORY));
    visit.here_ = TRY(Open(".", O_PATH | O_DIRECTORY));
    Fd own = TRY(Open("/proc/self/ns/mnt", O_RDONLY));
    if (unshare(CLONE_NEWNS) < 0) return ErrnoError("unshare a mount namespace for criu");
    visit.own_ = std::move(own);
    if (mount("", "/", nullptr, MS_SLAVE | MS_REC, nullptr) < 0)
      return ErrnoError("mount / as a slave for criu");
    if (mount(start.root.c_str(), start.over.c_str(), nullptr, MS_BIND | MS_REC, nullptr) < 0)
      return ErrnoError(StrCat("mount ", start.root, " on ", start.over));
    for (const auto& [fd, path] : start.reopen) {
      Fd again = TRY(Open(path, O_RDONLY | O_DIRECTORY));
      if (dup3(again.get(), fd, O_CLOEXEC) < 0) return ErrnoError(StrCat("dup3 ", path));
    }
    return visit;
  }
  Visit(Visit&&) = default;
  Visit& operator=(Visit&&) = delete;
  ~Visit() { static_cast<void>(End()); }

  // setns(2) leads to the namespace's root: root and current directory are set again.
  Status End() {
    if (!own_) return {};
    Fd own = std::move(own_);
    if (setns(own.get(), CLONE_NEWNS) < 0) return ErrnoError("setns back to the mount namespace");
    if (fchdir(root_.get()) < 0 || chroot(".") < 0 || fchdir(here_.get()) < 0)
      return ErrnoError("chroot back");
    return {};
  }

 private:
  Visit() = default;
  Fd own_, root_, here_;
};

[[noreturn]] void Give(int report) {
  int error = errno;
  static_cast<void>(!write(report, &error, sizeof error));
  _exit(127);
}

// The child of a process with one thread. Standard input stays: a shell's job is given its
// terminal there.
[[noreturn]] void Child(const Start& start, char* const* argv, int socket, int output, int report) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  bool ready = dup2(output, STDOUT_FILENO) >= 0 && dup2(output, STDERR_FILENO) >= 0 &&
               fcntl(socket, F_SETFD, 0) == 0;
  for (int fd : start.inherit) ready = ready && fcntl(fd, F_SETFD, 0) == 0;
  if (ready) execv(start.program.c_str(), argv);
  Give(report);
}

// Waits for the exec, which closes the pipe.
Status AwaitExec(const Start& start, Fd report) {
  int error = 0;
  ssize_t size = 0;
  do {
    size = read(report.get(), &error, sizeof error);
  } while (size < 0 && errno == EINTR);
  if (size == 0) return {};
  if (size != static_cast<ssize_t>(sizeof error)) return ErrnoError("read criu's start");
  return SystemError(error, StrCat("execve ", start.program));
}

// One message; empty at the end of file.
Result<Delivery> ReceiveMessage(int socket) {
  auto received = ReceiveDelivery(socket, kMaxMessage);
  if (!received && received.error().errno_value == ECONNRESET) return Delivery{};
  if (!received) return Context(std::move(received), "criu");
  if (received->cut) return Invalid("message of criu: longer than 64 KiB");
  return received;
}

Status SendMessage(int socket, const std::string& bytes) {
  return Send(socket, bytes.data(), bytes.size());
}

}  // namespace

Result<std::string> FindProgram() {
  const char* path = std::getenv("PATH");
  std::string places = path != nullptr ? path : "";
  for (auto place : Split(places, ':')) {
    if (!place.starts_with('/')) continue;
    std::string program = StrCat(place, "/criu");
    if (access(program.c_str(), X_OK) == 0) return program;
  }
  return Fail(ErrorKind::kUnsupported,
              "criu: not found in $PATH; checkpoint and restore need it (Debian's package criu)");
}

Result<Service> Service::Open(const Start& start) {
  auto pair = TRY(MakeSocketPair());
  Fd output = TRY(MemoryFile("criu", {}));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return ErrnoError("pipe2");
  Fd report(ends[0]), theirs(ends[1]);
  std::string name = "criu", word = "swrk", number = StrCat(pair.theirs.get());
  char* argv[] = {name.data(), word.data(), number.data(), nullptr};
  auto cgroup2 = TRY(Cgroup2Options::Read());
  auto visit = TRY(Visit::Begin(start));
  pid_t pid = _Fork();
  if (pid < 0) return ErrnoError("fork");
  if (pid == 0) Child(start, argv, pair.theirs.get(), output.get(), theirs.get());
  theirs.Reset();
  pair.theirs.Reset();
  auto executed = AwaitExec(start, std::move(report));
  auto back = visit.End();
  if (executed) executed = std::move(back);
  auto pidfd = executed ? PidfdOpen(pid) : Result<Fd>(Fd());
  if (!executed || !pidfd) {
    kill(pid, SIGKILL);  // our child, not reaped: nobody else's pid
    static_cast<void>(Reap(pid));
    if (!executed) return std::unexpected(std::move(executed).error());
    return std::unexpected(std::move(pidfd).error());
  }
  return Service(pid, std::move(*pidfd), std::move(pair.ours), std::move(output),
                 std::move(cgroup2));
}

Service::~Service() {
  if (pidfd_) static_cast<void>(Close());
}

Result<Response> Service::Ask(const std::string& request, const Listener& listener) {
  TRY_CONTEXT(SendMessage(socket_.get(), request), "criu");
  Status heard;
  while (true) {
    auto message = TRY(ReceiveMessage(socket_.get()));
    if (message.bytes.empty()) {
      if (!heard) return std::unexpected(std::move(heard).error());
      return Fail(ErrorKind::kSystem, "criu ended without an answer");
    }
    auto response = TRY(DecodeResponse(message.bytes));
    if (response.type == RequestType::kNotify) {
      auto told = listener(response, std::move(message.fd));
      if (!told && heard) heard = std::move(told);
      auto answered = SendMessage(socket_.get(), EncodeNotified(heard.has_value()));
      if (!answered && heard) return std::unexpected(Context(std::move(answered), "criu").error());
      continue;
    }
    if (!heard) return std::unexpected(std::move(heard).error());
    if (response.success) return response;
    int code = response.errno_value;
    std::string why = response.message.empty() ? "" : StrCat(": ", Trim(response.message));
    // criu's setup_opts_from_req().
    if (code == EBADRQC && why.empty()) why = ": it does not know one of the options, or its value";
    return Fail(ErrorKind::kSystem,
                StrCat("criu failed", code != 0 ? StrCat(" (errno ", code, ")") : "", why));
  }
}

void Service::Kill() const { static_cast<void>(PidfdSendSignal(pidfd_.get(), SIGKILL)); }

Status Service::Close() {
  socket_.Reset();
  Fd pidfd = std::move(pidfd_);
  // Only a criu that is stuck is killed: what it holds by ptrace would be left half-way.
  if (!TRY(PidfdWaitExit(pidfd.get(), kEndMs))) {
    KillChild(pidfd.get(), pid_, kEndMs);
    static_cast<void>(cgroup2_.Restore());
    return Fail(ErrorKind::kTimeout, StrCat("criu ", pid_, " did not end and was killed"));
  }
  auto reaped = Reap(pid_);
  TRY_CONTEXT(cgroup2_.Restore(), "after criu");
  static_cast<void>(TRY(std::move(reaped)));
  return {};
}

std::string Service::Output() const {
  constexpr size_t kMost = 4096;
  std::array<char, kMost> text{};
  ssize_t size = pread(output_.get(), text.data(), text.size(), 0);
  return std::string(Trim({text.data(), size > 0 ? static_cast<size_t>(size) : 0}));
}

}  // namespace kiste::sys::criu
