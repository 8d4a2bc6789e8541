// SPDX-License-Identifier: Apache-2.0
//
// The log sink of a program: where its main() puts messages and the final error. One line an
// entry, in the two formats that callers of OCI runtimes parse (containerd and podman read the
// last JSON line of --log): text `time="…" level=error msg="…"`, or JSON with level, msg, time.
#pragma once

#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace kiste {

// Where an error happened, for errors as data: what the program was asked to do, and to what.
struct LogScene {
  std::string_view command;    // "create"; "" before one is known
  std::string_view container;  // its id; "" where there is none
};

enum class LogFormat { kText, kJson };
enum class LogLevel { kDebug, kInfo, kWarning, kError };

class Log {
 public:
  // Writes to standard error as text until told otherwise.
  Log() = default;
  // Appends to `path` (made with mode 0644 when missing); "" keeps standard error.
  Status Open(const std::string& path, LogFormat format);
  void set_debug(bool on) { debug_ = on; }
  bool debug() const { return debug_; }

  void Write(LogLevel level, std::string_view message) const;
  // The program's final error: to the log file if there is one, and as one line
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
  bool debug_ = false;
};

}  // namespace kiste
