// SPDX-License-Identifier: Apache-2.0
#include "base/log_destination.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "base/strings.h"

namespace kiste {

namespace {

constexpr char kJournalSocket[] = "/run/systemd/journal/socket";
constexpr char kSyslogSocket[] = "/dev/log";
constexpr int kFacilityUser = 1 << 3;           // LOG_USER
constexpr size_t kLongest = size_t{32} * 1024;  // bytes of a message in a datagram

Result<Fd> OpenFile(const std::string& path) {
  // O_NONBLOCK: a FIFO that nobody reads is an error, and one that nobody reads any more loses
  // entries.
  Fd file(
      open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644));
  if (!file) return SystemError(errno, StrCat("--log: open ", path));
  return file;
}

// O_NONBLOCK: a daemon that does not keep up loses entries, nobody waits for it.
Result<Fd> OpenSocket(const char* path) {
  Fd to(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  if (!to || connect(to.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0)
    return SystemError(errno, StrCat("--log: connect ", path));
  return to;
}

// A field whose value may have newlines: its size in 64 bits, the lowest byte first.
std::string BinaryField(std::string_view name, std::string_view value) {
  std::string field = StrCat(name, "\n");
  for (unsigned shift = 0; shift < 64; shift += 8)
    field += static_cast<char>(value.size() >> shift & 0xff);
  return StrCat(field, value, "\n");
}

}  // namespace

LogDestination ParseLogDestination(std::string_view text, std::string_view program) {
  struct Form {
    std::string_view prefix;
    LogKind kind;
  };
  constexpr Form kForms[] = {
      {"file:", LogKind::kFile}, {"journald:", LogKind::kJournal}, {"syslog:", LogKind::kSyslog}};
  for (const auto& form : kForms) {
    if (!text.starts_with(form.prefix)) continue;
    std::string_view name = text.substr(form.prefix.size());
    if (name.empty() && form.kind != LogKind::kFile) name = program;
    return {form.kind, std::string(name)};
  }
  return {LogKind::kFile, std::string(text)};
}

Result<Fd> OpenLogDestination(const LogDestination& destination) {
  switch (destination.kind) {
    case LogKind::kFile:
      return OpenFile(destination.name);
    case LogKind::kJournal:
      return OpenSocket(kJournalSocket);
    case LogKind::kSyslog:
      return OpenSocket(kSyslogSocket);
  }
  return Invalid("--log: expected a file, journald or syslog");
}

std::string JournalEntry(std::string_view identifier, int priority, std::string_view message) {
  return StrCat("PRIORITY=", priority, "\n", BinaryField("SYSLOG_IDENTIFIER", identifier),
                BinaryField("MESSAGE", message.substr(0, kLongest)));
}

std::string SyslogEntry(std::string_view identifier, int priority, std::string_view message) {
  return StrCat("<", kFacilityUser | priority, ">", identifier, "[", getpid(),
                "]: ", message.substr(0, kLongest));
}

}  // namespace kiste
