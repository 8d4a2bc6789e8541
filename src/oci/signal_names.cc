// SPDX-License-Identifier: Apache-2.0
#include "oci/signal_names.h"

#include <signal.h>

#include <algorithm>

#include "base/strings.h"
#include "oci/name_table.h"

namespace kiste::oci {

namespace {

// C libraries keep the first real-time signals for their threads (glibc 32 and 33, musl 34 too);
// tools count from glibc's.
constexpr int kRealtimeMin = 34, kRealtimeMax = 64;

// The first name of a number is the one that is shown.
constexpr NameTable<int, 35> kSignals = {{
    {"HUP", SIGHUP},   {"INT", SIGINT},       {"QUIT", SIGQUIT},  {"ILL", SIGILL},
    {"TRAP", SIGTRAP}, {"ABRT", SIGABRT},     {"BUS", SIGBUS},    {"FPE", SIGFPE},
    {"KILL", SIGKILL}, {"USR1", SIGUSR1},     {"SEGV", SIGSEGV},  {"USR2", SIGUSR2},
    {"PIPE", SIGPIPE}, {"ALRM", SIGALRM},     {"TERM", SIGTERM},  {"STKFLT", SIGSTKFLT},
    {"CHLD", SIGCHLD}, {"CONT", SIGCONT},     {"STOP", SIGSTOP},  {"TSTP", SIGTSTP},
    {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},     {"URG", SIGURG},    {"XCPU", SIGXCPU},
    {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF},  {"WINCH", SIGWINCH},
    {"IO", SIGIO},     {"PWR", SIGPWR},       {"SYS", SIGSYS},    {"IOT", SIGABRT},
    {"POLL", SIGIO},   {"CLD", SIGCHLD},      {"UNUSED", SIGSYS},
}};

// "RTMIN", "RTMIN+n", "RTMAX-n".
std::optional<int> ParseRealtime(std::string_view name) {
  const bool from_min = name.starts_with("RTMIN");
  if (!from_min && !name.starts_with("RTMAX")) return std::nullopt;
  const int base = from_min ? kRealtimeMin : kRealtimeMax;
  std::string_view rest = name.substr(5);
  if (rest.empty()) return base;
  if (rest[0] != (from_min ? '+' : '-')) return std::nullopt;
  auto distance = ParseUint(rest.substr(1));
  if (!distance || *distance > kRealtimeMax - kRealtimeMin) return std::nullopt;
  const int steps = static_cast<int>(*distance);
  return from_min ? base + steps : base - steps;
}

}  // namespace

std::optional<int> ParseSignal(std::string_view text) {
  if (auto number = ParseUint(text)) {
    if (*number > kRealtimeMax) return std::nullopt;
    return static_cast<int>(*number);
  }
  std::string upper(text);
  std::ranges::transform(upper, upper.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  std::string_view name = upper;
  if (name.starts_with("SIG")) name.remove_prefix(3);
  if (auto number = Find(kSignals, name)) return number;
  return ParseRealtime(name);
}

std::string SignalName(int number) {
  if (auto name = NameOf(kSignals, number); !name.empty()) return StrCat("SIG", name);
  if (number == kRealtimeMin) return "SIGRTMIN";
  if (number > kRealtimeMin && number <= kRealtimeMax)
    return StrCat("SIGRTMIN+", number - kRealtimeMin);
  return StrCat(number);
}

}  // namespace kiste::oci
