// SPDX-License-Identifier: Apache-2.0
//
// The log sink of a program: where its main() puts messages and the final error. One line an
// entry, in the two formats that callers of OCI runtimes parse (containerd and podman read the
// last JSON line of --log): text `time="…" level=error msg="…"`, or JSON with level, msg, time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/log_destination.h"
#include "base/result.h"

namespace kiste {

// Where an error happened, for errors as data: what the program was asked to do, and to what.
struct LogScene {
  std::string_view command;    // "create"; "" before one is known
  std::string_view container;  // its id; "" where there is none
};

enum class LogFormat { kText, kJson };
enum class LogLevel { kDebug, kInfo, kWarning, kError };
// The level of "debug", "info", "warning" or "error"; nothing for another word.
std::optional<LogLevel> ParseLogLevel(std::string_view name);

class Log {
 public:
  // Writes to standard error as text until told otherwise.
  Log() = default;
  // `destination` is a path, "file:PATH", "journald:IDENTIFIER" or "syslog:IDENTIFIER"
  // (log_destination.h); "" keeps standard error. Entries of `program` without an identifier.
  Status Open(const std::string& destination, LogFormat format, std::string_view program = {});
  // What is less than this is not written; an error always is.
  void set_level(LogLevel least) { least_ = least; }

  void Write(LogLevel level, std::string_view message) const;
  // The program's final error: to the log if there is one, and as one line
  // `<program>: <text>` on standard error (where JSON without a file goes there, that is the line).
  // The text is `<command>: <error's text>`. In JSON stand beside it, where they apply: kind,
  // errno, errnoName, syscall, object, operation, step (the command's name when no step is known),
  // command and container.
  void Fatal(std::string_view program, const Error& error, const LogScene& scene = {}) const;

 private:
  void WriteEntry(LogLevel level, std::string_view message, const Error* error,
                  const LogScene& scene) const;
  int descriptor() const { return file_ ? file_.get() : 2; }

  Fd file_;
  LogFormat format_ = LogFormat::kText;
  LogDestination destination_;
  LogLevel least_ = LogLevel::kInfo;
};

}  // namespace kiste
