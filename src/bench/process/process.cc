// SPDX-License-Identifier: Apache-2.0
#include "bench/process/process.h"

#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>

#include "base/defer.h"
#include "base/strings.h"
#include "bench/process/spawn.h"
#include "sys/file.h"
#include "sys/pidfd.h"

namespace kiste::bench {

namespace {

volatile sig_atomic_t interrupted = 0;

// Readable when a child has ended: orphans that were left to us are waited for by others, who see
// them until they are reaped.
const Fd& ChildrenEnded() {
  static const Fd kEnded = [] {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, nullptr);
    return Fd(signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
  }();
  return kEnded;
}

// poll(2), reaping orphans meanwhile; `count` descriptors and room for one more.
void PollAndReap(pollfd* descriptors, nfds_t count, int timeout_ms) {
  descriptors[count] = {ChildrenEnded().get(), POLLIN, 0};
  poll(descriptors, count + 1, timeout_ms);
  if ((descriptors[count].revents & POLLIN) == 0) return;
  signalfd_siginfo info;
  while (read(ChildrenEnded().get(), &info, sizeof info) == sizeof info) {
  }
  ReapOrphans();
}

std::set<pid_t>& Known() {
  static std::set<pid_t> pids;
  return pids;
}

constexpr size_t kLongestErrors = 4096;
constexpr int kStep = 100;  // ms: how soon an interruption is seen

}  // namespace

void CatchInterruptions() {
  struct sigaction action = {};
  action.sa_handler = [](int) { interrupted = 1; };
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

bool Interrupted() { return interrupted != 0; }

void ReapOrphans() {
  siginfo_t info = {};
  while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
    if (Known().contains(info.si_pid)) return;  // its Running reaps it; the rest comes later
    waitpid(info.si_pid, nullptr, WNOHANG);
    info = {};
  }
}

Result<Running> Running::Begin(const Start& start) {
  if (start.words.empty()) return Invalid("expected a command, found no word");
  int ends[2] = {-1, -1};
  if (start.read_output && pipe2(ends, O_CLOEXEC) != 0) return ErrnoError("pipe2 standard output");
  Fd write_end(ends[1]);
  Running running;
  running.output_ = Fd(ends[0]);
  running.errors_ = Fd(memfd_create("standard-error", MFD_CLOEXEC));
  if (!running.errors_) return ErrnoError("memfd_create standard-error");
  auto program = TRY(FindProgram(start.words[0]));
  running.words_ = Join(start.words, " ");
  running.began_ = Clock::now();
  running.pid_ = TRY(Spawn(program, start, write_end.get(), running.errors_.get()));
  Known().insert(running.pid_);
  running.pidfd_ = TRY(sys::PidfdOpen(running.pid_));
  return running;
}

Running::Running(Running&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      output_(std::move(other.output_)),
      errors_(std::move(other.errors_)),
      began_(other.began_),
      buffer_(std::move(other.buffer_)),
      words_(std::move(other.words_)) {}

Running& Running::operator=(Running&& other) noexcept {
  if (this == &other) return *this;
  End();
  pid_ = std::exchange(other.pid_, -1);
  pidfd_ = std::move(other.pidfd_);
  output_ = std::move(other.output_);
  errors_ = std::move(other.errors_);
  began_ = other.began_;
  buffer_ = std::move(other.buffer_);
  words_ = std::move(other.words_);
  return *this;
}

Running::~Running() { End(); }

void Running::End() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  Known().erase(pid_);
  pid_ = -1;
}

void Running::Signal(int signal) const {
  if (pid_ > 0) kill(pid_, signal);
}

bool Running::HasEnded() const {
  pollfd ended = {pidfd_.get(), POLLIN, 0};
  return pid_ < 0 || poll(&ended, 1, 0) == 1;
}

// Reads what there is, or waits up to `timeout_ms` for more; false at the end of the output.
bool Running::Fill(int timeout_ms) {
  if (!output_) return false;
  pollfd readable[2] = {{output_.get(), POLLIN, 0}, {}};
  PollAndReap(readable, 1, timeout_ms);
  if (readable[0].revents == 0) return true;
  char bytes[65536];
  ssize_t size = read(output_.get(), bytes, sizeof bytes);
  if (size > 0) buffer_.append(bytes, static_cast<size_t>(size));
  if (size == 0) output_.Reset();
  return size != 0;
}

Result<std::optional<std::string>> Running::ReadLine(Deadline deadline) {
  while (true) {
    if (size_t end = buffer_.find('\n'); end != std::string::npos) {
      std::optional<std::string> line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      if (line->ends_with('\r')) line->pop_back();
      return line;
    }
    if (Interrupted()) return Fail(ErrorKind::kState, "interrupted");
    if (deadline.Over()) {
      return Fail(ErrorKind::kTimeout, StrCat(words_, ": no line of output in time: ", Errors()));
    }
    if (!Fill(std::min(deadline.PollTime(), kStep))) return std::optional<std::string>();
  }
}

Status Running::WaitForLine(std::string_view word, Deadline deadline) {
  std::string last;
  while (true) {
    auto line = TRY(ReadLine(deadline));
    if (!line) break;
    if (*line == word) return {};
    last = *line;
  }
  return Invalid(StrCat(words_, ": expected a line ", Quote(word), ", found ",
                        last.empty() ? "none" : Quote(last), ": ", Errors()));
}

Result<Ended> Running::Wait(Deadline deadline) {
  while (true) {
    pollfd both[3] = {{pidfd_.get(), POLLIN, 0}, {output_.get(), POLLIN, 0}, {}};
    PollAndReap(both, output_ ? 2 : 1, std::min(deadline.PollTime(), kStep));
    if ((both[0].revents & POLLIN) != 0) break;
    if (output_.valid() && (both[1].revents & (POLLIN | POLLHUP)) != 0) Fill(0);
    if (Interrupted()) return Fail(ErrorKind::kState, "interrupted");
    if (deadline.Over()) {
      return Fail(ErrorKind::kTimeout, StrCat(words_, ": still runs after its time: ", Errors()));
    }
  }
  Ended ended;
  ended.took = Clock::now() - began_;
  ended.code = TRY(sys::WaitChild(pid_));
  Known().erase(pid_);
  pid_ = -1;
  // What is in the pipe by now; who else has its other end may go on writing.
  for (size_t before = buffer_.size() + 1; output_ && before != buffer_.size();) {
    before = buffer_.size();
    Fill(0);
  }
  ended.errors = Errors();
  return ended;
}

std::string Running::TakeOutput() { return std::exchange(buffer_, {}); }

std::string Running::Errors() const {
  struct stat about = {};
  if (fstat(errors_.get(), &about) != 0) return {};
  auto size = static_cast<size_t>(about.st_size);
  size_t skip = size > kLongestErrors ? size - kLongestErrors : 0;
  std::string text(size - skip, 0);
  ssize_t got = pread(errors_.get(), text.data(), text.size(), static_cast<off_t>(skip));
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return std::string(Trim(text));
}

Result<Nanoseconds> Running::WaitForSuccess(Deadline deadline) {
  auto ended = TRY(Wait(deadline));
  if (ended.code == 0) return ended.took;
  // Some say on standard output why they fail.
  constexpr size_t kMost = 400;
  auto why = ended.errors.empty() ? buffer_.substr(buffer_.size() - std::min(buffer_.size(), kMost))
                                  : ended.errors;
  return Fail(ErrorKind::kSystem, StrCat(words_, ": exit code ", ended.code, ": ", Trim(why)));
}

Result<Output> Succeed(const Start& start, Deadline deadline) {
  auto running = TRY(Running::Begin(start));
  auto took = TRY(running.WaitForSuccess(deadline));
  return Output{took, running.TakeOutput()};
}

Result<std::string> FindProgram(const std::string& program) {
  if (program.find('/') != std::string::npos) {
    if (access(program.c_str(), X_OK) == 0) return program;
    return Fail(ErrorKind::kNotFound, StrCat(program, ": not there, or not executable"));
  }
  const char* path = getenv("PATH");
  for (auto folder : Split(path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin", ':')) {
    auto candidate = StrCat(folder, "/", program);
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return Fail(ErrorKind::kNotFound, StrCat(program, ": not in PATH"));
}

Result<std::string> FindFile(const std::vector<std::string>& patterns) {
  for (const auto& pattern : patterns) {
    glob_t found = {};
    Defer release([&found] { globfree(&found); });
    if (glob(pattern.c_str(), GLOB_TILDE, nullptr, &found) == 0 && found.gl_pathc > 0)
      return std::string(found.gl_pathv[found.gl_pathc - 1]);
  }
  return Fail(ErrorKind::kNotFound, StrCat(Join(patterns, ", "), ": not there"));
}

}  // namespace kiste::bench
