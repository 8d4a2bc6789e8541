// SPDX-License-Identifier: Apache-2.0
//
// Where a log's entries go, as --log says it: a file, or a daemon that listens at a datagram
// socket (systemd's journal, systemd-journald.service(8); syslog(3)).
#pragma once

#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace kiste {

enum class LogKind { kFile, kJournal, kSyslog };

struct LogDestination {
  LogKind kind = LogKind::kFile;
  std::string name;  // the file's path, or what the daemon is told that the entries come from
};

// "file:PATH", "journald:IDENTIFIER", "syslog:IDENTIFIER"; anything else is a path. A daemon that
// is given no identifier gets `program`.
LogDestination ParseLogDestination(std::string_view text, std::string_view program);
// A file is made when missing (mode 0644) and appended to. What is written to a daemon's descriptor
// at once is one entry.
Result<Fd> OpenLogDestination(const LogDestination& destination);

// One entry of the journal's native protocol, of syslog's (RFC 3164). `priority` is syslog(3)'s,
// 0 to 7. A datagram has its limits: long messages are cut.
std::string JournalEntry(std::string_view identifier, int priority, std::string_view message);
std::string SyslogEntry(std::string_view identifier, int priority, std::string_view message);

}  // namespace kiste
