// SPDX-License-Identifier: Apache-2.0
#include "bench/spatial/witness_child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/strings.h"
#include "sys/file.h"

namespace kiste::bench {

namespace {

constexpr int kNice = 7;             // the probes know it by this
constexpr int kFirstDescriptor = 3;  // listeners, then the lifeline
constexpr int kLifeline = kFirstDescriptor + 3;

WitnessMemory* g_memory = nullptr;

void Count(int signal) {
  auto& counter = signal == SIGURG ? g_memory->urgent : g_memory->by_descriptor;
  counter.fetch_add(1, std::memory_order_relaxed);
}

// Overwrites the copy of the caller's words: kernels show what is there now.
void WriteWords(const Chores& chores) {
  std::memset(chores.words.start, 0, chores.words.size);
  std::memcpy(chores.words.start, chores.command.data(), chores.command.size());
  size_t at = std::max(chores.command.size() + 1, chores.words.environment_begin);
  std::memcpy(chores.words.start + at, chores.variable.data(), chores.variable.size());
}

// Only what is listed stays open: whoever waits for the end of one of the caller's pipes must not
// wait for this process.
void KeepDescriptors(const Chores& chores) {
  // First out of the way of the numbers that they get.
  int kept[4];
  for (int i = 0; i < 3; i++) kept[i] = fcntl(chores.listeners[i], F_DUPFD, 64);
  kept[3] = fcntl(chores.lifeline, F_DUPFD, 64);
  for (int i = 0; i < 4; i++) {
    if (kept[i] >= 0) {
      dup2(kept[i], kFirstDescriptor + i);
    } else {
      close(kFirstDescriptor + i);
    }
  }
  close_range(kLifeline + 1, ~0U, 0);
  int null = open("/dev/null", O_RDWR);
  for (int i = 0; i < 3; i++) dup2(null, i);
  close(null);
}

void Greet(int listener, int index) {
  int connection = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (connection < 0) return;
  g_memory->connections[index].fetch_add(1, std::memory_order_relaxed);
  static_cast<void>(
      send(connection, g_memory->token, sizeof g_memory->token, MSG_NOSIGNAL | MSG_DONTWAIT));
  close(connection);
}

}  // namespace

Result<Words> OwnWords() {
  std::string stat = TRY(sys::ReadFileAt(AT_FDCWD, "/proc/self/stat"));
  // Behind the name, which may hold anything, comes field 3.
  size_t parenthesis = stat.rfind(") ");
  if (parenthesis == std::string::npos) return Invalid("/proc/self/stat: no name");
  std::vector<std::string_view> fields =
      Split(Trim(std::string_view(stat).substr(parenthesis + 2)), ' ');
  uint64_t bounds[4] = {};
  for (size_t i = 0; i < 4; i++) {
    size_t index = 48 - 3 + i;
    if (index < fields.size()) bounds[i] = ParseUint(fields[index]).value_or(0);
  }
  auto [command_start, command_end, environment_start, environment_end] = bounds;
  if (command_start == 0 || command_end != environment_start) {
    return Fail(ErrorKind::kUnsupported, "/proc/self/stat: command line and environment apart");
  }
  return Words{.start = reinterpret_cast<char*>(command_start),
               .size = environment_end - command_start,
               .environment_begin = environment_start - command_start};
}

void RunWitness(const Chores& chores) {
  g_memory = chores.memory;
  WriteWords(chores);
  setsid();
  setpriority(PRIO_PROCESS, 0, kNice);
  if (chdir(chores.folder) != 0) _exit(1);
  KeepDescriptors(chores);
  struct sigaction count{};
  count.sa_handler = Count;
  sigaction(SIGURG, &count, nullptr);
  sigaction(SIGWINCH, &count, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (send(kLifeline, "r", 1, MSG_NOSIGNAL) != 1) _exit(1);
  while (true) {
    pollfd waits[4] = {};
    for (int i = 0; i < 4; i++) waits[i] = {.fd = kFirstDescriptor + i, .events = POLLIN};
    if (poll(waits, 4, -1) < 0) continue;  // a signal
    if (waits[3].revents != 0) _exit(0);
    for (int i = 0; i < 3; i++) {
      if ((waits[i].revents & POLLIN) != 0) Greet(waits[i].fd, i);
      // A listener that there is not: poll(2) passes over negative ones only.
      if ((waits[i].revents & POLLNVAL) != 0) dup2(kLifeline, waits[i].fd);
    }
  }
}

}  // namespace kiste::bench
