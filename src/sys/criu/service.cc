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
#include <cstdlib>
#include <cstring>

#include "base/strings.h"
#include "sys/memfd.h"
#include "sys/pidfd.h"
#include "sys/socket.h"

namespace kiste::sys::criu {

namespace {

constexpr int kEndMs = 10'000;          // how long criu may take to end once it was told so
constexpr size_t kMaxMessage = 64 << 10;  // criu's own limit is 32 KiB

// The steps of the child, for the error that it sends.
enum Step : int { kUnshare, kSlave, kBind, kPrepare, kExecute };

struct Failure {
  int step = 0, errno_value = 0;
};

[[noreturn]] void Give(int report, Step step) {
  Failure failure{step, errno};
  static_cast<void>(!write(report, &failure, sizeof failure));
  _exit(127);
}

void MakeRoot(const Start& start, int report) {
  if (unshare(CLONE_NEWNS) < 0) Give(report, kUnshare);
  if (mount("", "/", nullptr, MS_SLAVE | MS_REC, nullptr) < 0) Give(report, kSlave);
  if (mount(start.root.c_str(), start.over.c_str(), nullptr, MS_BIND | MS_REC, nullptr) < 0)
    Give(report, kBind);
}

// The child of a process with one thread. Standard input stays: a shell's job is given its
// terminal there.
[[noreturn]] void Child(const Start& start, char* const* argv, int socket, int output,
                        int report) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (!start.root.empty()) MakeRoot(start, report);
  bool ready = dup2(output, STDOUT_FILENO) >= 0 && dup2(output, STDERR_FILENO) >= 0 &&
               fcntl(socket, F_SETFD, 0) == 0;
  for (int fd : start.inherit) ready = ready && fcntl(fd, F_SETFD, 0) == 0;
  if (!ready) Give(report, kPrepare);
  execv(start.program.c_str(), argv);
  Give(report, kExecute);
}

std::string Deed(const Start& start, int step) {
  switch (step) {
    case kUnshare:
      return "unshare a mount namespace for criu";
    case kSlave:
      return "mount / as a slave for criu";
    case kBind:
      return StrCat("mount ", start.root, " for criu");
    case kPrepare:
      return "fcntl criu's descriptors";
    default:
      return StrCat("execve ", start.program);
  }
}

// Waits for the exec, which closes the pipe.
Status AwaitExec(const Start& start, Fd report) {
  Failure failure;
  ssize_t size = 0;
  do {
    size = read(report.get(), &failure, sizeof failure);
  } while (size < 0 && errno == EINTR);
  if (size == 0) return {};
  if (size != static_cast<ssize_t>(sizeof failure)) return ErrnoError("read criu's start");
  return SystemError(failure.errno_value, Deed(start, failure.step));
}

struct Message {
  std::string bytes;
  Fd fd;
};

Fd TakeDescriptor(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(part), sizeof fd);
    return Fd(fd);
  }
  return Fd();
}

// One message; empty at the end of file.
Result<Message> ReceiveMessage(int socket) {
  Message received;
  received.bytes.resize(kMaxMessage);
  iovec piece{received.bytes.data(), received.bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t size = 0;
  do {
    size = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size < 0 && errno != ECONNRESET) return ErrnoError("recvmsg from criu");
  received.fd = TakeDescriptor(header);
  if ((header.msg_flags & MSG_TRUNC) != 0) return Invalid("message of criu: longer than 64 KiB");
  received.bytes.resize(size < 0 ? 0 : static_cast<size_t>(size));
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
  pid_t pid = fork();
  if (pid < 0) return ErrnoError("fork");
  if (pid == 0) Child(start, argv, pair.theirs.get(), output.get(), theirs.get());
  theirs.Reset();
  pair.theirs.Reset();
  auto executed = AwaitExec(start, std::move(report));
  auto pidfd = executed ? PidfdOpen(pid) : Result<Fd>(Fd());
  if (!executed || !pidfd) {
    kill(pid, SIGKILL);  // our child, not reaped: nobody else's pid
    static_cast<void>(WaitChildStatus(pid));
    if (!executed) return std::unexpected(std::move(executed).error());
    return std::unexpected(std::move(pidfd).error());
  }
  return Service(pid, std::move(*pidfd), std::move(pair.ours), std::move(output));
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
      TRY_CONTEXT(SendMessage(socket_.get(), EncodeNotified(heard.has_value())), "criu");
      continue;
    }
    if (!heard) return std::unexpected(std::move(heard).error());
    if (response.success) return response;
    int code = response.errno_value;
    std::string why = response.message.empty() ? "" : StrCat(": ", Trim(response.message));
    return Fail(ErrorKind::kSystem,
                StrCat("criu failed", code != 0 ? StrCat(" (errno ", code, ")") : "", why));
  }
}

Status Service::Close() {
  socket_.Reset();
  Fd pidfd = std::move(pidfd_);
  // Only a criu that is stuck is killed: what it holds by ptrace would be left half-way.
  if (!TRY(PidfdWaitExit(pidfd.get(), kEndMs))) {
    KillChild(pidfd.get(), pid_, kEndMs);
    return Fail(ErrorKind::kTimeout, StrCat("criu ", pid_, " did not end and was killed"));
  }
  static_cast<void>(TRY(WaitChildStatus(pid_)));
  return {};
}

std::string Service::Output() const {
  constexpr size_t kMost = 4096;
  std::array<char, kMost> text{};
  ssize_t size = pread(output_.get(), text.data(), text.size(), 0);
  return std::string(Trim({text.data(), size > 0 ? static_cast<size_t>(size) : 0}));
}

}  // namespace kiste::sys::criu
