// SPDX-License-Identifier: Apache-2.0
#include "runtime/foreground.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <string>

#include "sys/pidfd.h"
#include "sys/tty.h"

namespace kiste::runtime {

namespace {

// Whether one of the signals that wait there would end a program.
bool AsksToEnd(int signals) {
  bool ends = false;
  signalfd_siginfo info{};
  while (read(signals, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    int signal = static_cast<int>(info.ssi_signo);
    ends = ends || signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
  }
  return ends;
}

// Copies what comes from one descriptor to another, as much as the other takes.
class Pump {
 public:
  Pump(int from, int to) : from_(from), to_(to) {}
  bool open() const { return open_; }
  bool wants_input() const { return open_ && pending_.empty(); }
  bool wants_output() const { return !pending_.empty(); }

  void Read() {
    char buffer[16384];
    ssize_t size = read(from_, buffer, sizeof buffer);
    if (size > 0) {
      pending_.assign(buffer, static_cast<size_t>(size));
    } else if (size == 0 || (errno != EINTR && errno != EAGAIN)) {
      open_ = false;  // EIO: the last slave of a pty was closed
    }
  }

  // For one POLLOUT, which promises room for so much in a pipe (pipe(7)): more might wait, where
  // there is no other way (OpenUnwaiting).
  void Write() {
    ssize_t size = write(to_, pending_.data(), std::min<size_t>(pending_.size(), PIPE_BUF));
    if (size > 0) {
      pending_.erase(0, static_cast<size_t>(size));
    } else if (errno != EINTR && errno != EAGAIN) {
      pending_.clear();  // nobody reads it any more
      if (errno != EIO) open_ = false;
    }
  }

  // Everything that is there to be read, until there is nothing for now. Its reader may take its
  // time; a signal that `signals` tells of ends the wait.
  void Drain(int signals) {
    while (open_) {
      while (wants_output()) {
        pollfd entries[] = {{to_, POLLOUT, 0}, {signals, POLLIN, 0}};
        if (poll(entries, std::size(entries), -1) < 0 && errno != EINTR) return;
        if (entries[0].revents != 0) Write();
        if (entries[1].revents != 0 && AsksToEnd(signals)) return;
      }
      pollfd in{from_, POLLIN, 0};
      if (poll(&in, 1, 0) <= 0) return;
      Read();
    }
  }

 private:
  int from_, to_;
  std::string pending_;
  bool open_ = true;
};

// Signals that say something about this process, not about the container's.
bool IsOurOwn(int signal) { return signal == SIGURG || signal == SIGPIPE; }

// Signals for the container are passed on, others answered here.
void ForwardSignals(int signals, const isolation::Launched& process, int terminal) {
  signalfd_siginfo info{};
  while (read(signals, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    int signal = static_cast<int>(info.ssi_signo);
    if (signal == SIGWINCH && terminal >= 0) {
      sys::CopyWindowSize(STDIN_FILENO, terminal);
    } else if (signal == SIGCHLD) {
      // An orphan that was adopted counts against the container's pids limit until it is reaped.
      // Nobody waits for another child meanwhile: hooks and criu have ended.
      sys::ReapOthers(process.pid);
    } else if (!IsOurOwn(signal)) {
      static_cast<void>(sys::PidfdSendSignal(process.pidfd.get(), signal));
    }
  }
}

short Events(const Pump* reader, const Pump* writer) {
  int events = 0;
  if (reader != nullptr && reader->wants_input()) events |= POLLIN;
  if (writer != nullptr && writer->wants_output()) events |= POLLOUT;
  return static_cast<short>(events);
}

constexpr short kReadable = POLLIN | POLLHUP | POLLERR;

// One wait with a terminal between us and the process. False when poll(2) fails before its end.
bool Relay(const isolation::Launched& process, int signals, Fd terminal, NotifySocket& notify) {
  int master = terminal.get();
  fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
  sys::RawMode raw(STDIN_FILENO);
  sys::CopyWindowSize(STDIN_FILENO, master);
  Pump input(STDIN_FILENO, master);
  Fd unwaiting = sys::OpenUnwaiting(STDOUT_FILENO);
  const int out = unwaiting ? unwaiting.get() : STDOUT_FILENO;
  Pump output(master, out);
  while (true) {
    pollfd entries[] = {
        {process.pidfd.get(), POLLIN, 0},
        {signals, POLLIN, 0},
        {Events(&input, nullptr) != 0 ? STDIN_FILENO : -1, POLLIN, 0},
        {output.wants_input() || input.wants_output() ? master : -1, Events(&output, &input), 0},
        {output.wants_output() ? out : -1, POLLOUT, 0},
        {notify.fd(), POLLIN, 0}};
    if (poll(entries, std::size(entries), -1) < 0 && errno != EINTR) return false;
    if ((entries[1].revents & POLLIN) != 0) ForwardSignals(signals, process, master);
    if ((entries[2].revents & kReadable) != 0) input.Read();
    if ((entries[3].revents & POLLOUT) != 0) input.Write();
    if ((entries[3].revents & kReadable) != 0 && output.wants_input()) output.Read();
    if ((entries[4].revents & (POLLOUT | POLLERR)) != 0) output.Write();
    if (entries[5].revents != 0) notify.Relay(getpid());
    if ((entries[0].revents & POLLIN) != 0) {
      output.Drain(signals);
      return true;
    }
  }
}

// The same without one.
bool WaitAndForward(const isolation::Launched& process, int signals, NotifySocket& notify) {
  while (true) {
    pollfd entries[] = {
        {process.pidfd.get(), POLLIN, 0}, {signals, POLLIN, 0}, {notify.fd(), POLLIN, 0}};
    if (poll(entries, std::size(entries), -1) < 0 && errno != EINTR) return false;
    if ((entries[1].revents & POLLIN) != 0) ForwardSignals(signals, process, -1);
    if (entries[2].revents != 0) notify.Relay(getpid());
    if ((entries[0].revents & POLLIN) != 0) return true;
  }
}

}  // namespace

Result<SignalGuard> SignalGuard::Block() {
  sigset_t all;
  sigfillset(&all);
  // Faults of this very program must stop it.
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS})
    sigdelset(&all, fault);
  if (sigprocmask(SIG_BLOCK, &all, nullptr) < 0) return ErrnoError("sigprocmask");
  int fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) return ErrnoError("signalfd");
  return SignalGuard(Fd(fd));
}

Result<int> WaitForeground(const isolation::Launched& process, const SignalGuard& signals,
                           Fd terminal, NotifySocket* notify) {
  NotifySocket none;
  if (notify == nullptr) notify = &none;
  bool ended = terminal ? Relay(process, signals.fd(), std::move(terminal), *notify)
                        : WaitAndForward(process, signals.fd(), *notify);
  if (!ended) TRY(sys::PidfdWaitExit(process.pidfd.get(), -1));
  return sys::Reap(process.pid);
}

}  // namespace kiste::runtime
