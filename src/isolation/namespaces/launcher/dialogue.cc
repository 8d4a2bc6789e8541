// SPDX-License-Identifier: Apache-2.0
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/time_types.h>
#include <linux/uio.h>

#include "isolation/namespaces/launcher/launcher.h"

namespace kiste::isolation::launcher {

namespace {

constexpr int kNoSignal = 0x4000;  // MSG_NOSIGNAL
constexpr int kDontWait = 0x40;    // MSG_DONTWAIT
constexpr int kSolSocket = 1;      // SOL_SOCKET
constexpr int kScmRights = 1;      // SCM_RIGHTS

struct MessageHeader {  // struct msghdr of the 64-bit system call
  void* name;
  int name_length;
  const IoVector* pieces;
  unsigned long piece_count;
  void* control;
  unsigned long control_length;
  unsigned flags;
};

struct RightsControl {  // struct cmsghdr with one descriptor
  unsigned long length;
  int level;
  int type;
  int fd;
};

}  // namespace

void Exit(int code) {
  while (true) Call<__NR_exit_group>(code);
}

void SendReport(Launcher& l, ReportKind kind, long error) {
  l.report.kind = kind;
  l.report.error = static_cast<__s32>(error < 0 ? -error : error);
  l.report.call = last_failure.error == error ? static_cast<__s32>(last_failure.number) : -1;
  long sent = -EINTR;
  while (sent == -EINTR) {
    sent = Call<__NR_sendto>(l.channel, &l.report, sizeof l.report, kNoSignal, nullptr, 0);
  }
  // Who would wait for an answer, or be waited for, has nobody to talk to. Nor does a program start
  // of which a `start` that has given up meanwhile said that it would not.
  if (sent < 0 && kind != ReportKind::kFailed) Exit(1);
}

long SendDescriptor(int socket, int fd, const IoVector* pieces, unsigned count) {
  RightsControl control{sizeof(unsigned long) + 3 * sizeof(int), kSolSocket, kScmRights, fd};
  MessageHeader message{};
  message.pieces = pieces;
  message.piece_count = count;
  message.control = &control;
  message.control_length = sizeof control;
  long sent = -EINTR;
  while (sent == -EINTR) sent = Call<__NR_sendmsg>(socket, &message, kNoSignal);
  return sent < 0 ? sent : 0;
}

namespace {

// One byte from the runtime. When that is gone there is nobody to go on for.
char Hear(const Launcher& l) {
  char word = 0;
  long size = -EINTR;
  while (size == -EINTR) size = Call<__NR_read>(l.channel, &word, 1);
  if (size != 1) Exit(1);
  return word;
}

}  // namespace

// The runtime does what only it may do.
long Sync(Launcher& l) {
  SendReport(l, ReportKind::kSync, 0);
  while (Hear(l) == kHeldByte) l.held = true;
  return 0;
}

// The byte was sent long ago, as a rule: this waits for nothing.
long Confirm(Launcher& l) {
  while (!l.held) l.held = Hear(l) == kHeldByte;
  return 0;
}

// Tells the runtime that the container is created and sleeps in accept4(2) until `start` connects
// and says so. Others only look whether somebody listens here: they connect and hang up.
long WaitStart(Launcher& l, const Operation& op) {
  SendReport(l, ReportKind::kReady, 0);
  Call<__NR_close>(l.channel);
  l.channel = -1;
  while (true) {
    long connection = Call<__NR_accept4>(op.fd, nullptr, nullptr, O_CLOEXEC);
    if (connection == -EINTR || connection == -ECONNABORTED) continue;
    if (connection < 0) return connection;
    // One who says nothing does not keep the others waiting.
    pollfd talks{static_cast<int>(connection), POLLIN, 0};
    __kernel_timespec limit{1, 0};
    Call<__NR_ppoll>(&talks, 1, &limit, nullptr, 0);
    char word = 0;
    long size = Call<__NR_recvfrom>(connection, &word, 1, kDontWait, nullptr, nullptr);
    // One who hung up meanwhile has given up: what it was told, nothing started, must stay true.
    bool there = (talks.revents & POLLHUP) == 0;
    if (size == 1 && word == kStartByte && there) {
      l.channel = static_cast<int>(connection);
      Call<__NR_close>(op.fd);
      return 0;
    }
    Call<__NR_close>(connection);
  }
}

}  // namespace kiste::isolation::launcher
