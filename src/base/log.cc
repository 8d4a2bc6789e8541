// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <syslog.h>
#include <unistd.h>

#include <cstring>
#include <ctime>

#include "base/json.h"
#include "base/strings.h"

namespace kiste {

namespace {

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

// As syslog(3) has it.
int Priority(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return LOG_DEBUG;
    case LogLevel::kInfo:
      return LOG_INFO;
    case LogLevel::kWarning:
      return LOG_WARNING;
    case LogLevel::kError:
      return LOG_ERR;
  }
  return LOG_ERR;
}

void WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nowhere left to complain
    text.remove_prefix(static_cast<size_t>(written));
  }
}

void WriteUnlessEmpty(json::CompactWriter& writer, std::string_view key, std::string_view text) {
  if (!text.empty()) json::Member(writer, key, text);
}

void WriteError(json::CompactWriter& writer, const Error& error, const LogScene& scene) {
  json::Member(writer, "kind", KindName(error.kind));
  if (error.errno_value != 0) {
    json::Member(writer, "errno", error.errno_value);
    const char* name = strerrorname_np(error.errno_value);
    WriteUnlessEmpty(writer, "errnoName", name == nullptr ? "" : name);
  }
  WriteUnlessEmpty(writer, "syscall", error.Call());
  WriteUnlessEmpty(writer, "object", error.Object());
  WriteUnlessEmpty(writer, "operation", error.operation);
  WriteUnlessEmpty(writer, "step", error.step == nullptr ? scene.command : error.step);
  WriteUnlessEmpty(writer, "command", scene.command);
  WriteUnlessEmpty(writer, "container", scene.container);
}

std::string JsonEntry(LogLevel level, std::string_view message, const Error* error,
                      const LogScene& scene) {
  json::Buffer buffer;
  json::CompactWriter writer(buffer);
  writer.StartObject();
  json::Member(writer, "level", LevelName(level));
  json::Member(writer, "msg", message);
  json::Member(writer, "time", std::string_view(UtcNow(0)));
  if (error != nullptr) WriteError(writer, *error, scene);
  writer.EndObject();
  return StrCat(std::string_view(buffer.GetString(), buffer.GetSize()), "\n");
}

}  // namespace

std::optional<LogLevel> ParseLogLevel(std::string_view name) {
  for (auto level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
    if (name == LevelName(level)) return level;
  }
  return std::nullopt;
}

Status Log::Open(const std::string& destination, LogFormat format, std::string_view program) {
  format_ = format;
  if (destination.empty()) return {};
  destination_ = ParseLogDestination(destination, program);
  file_ = TRY(OpenLogDestination(destination_));
  return {};
}

void Log::WriteEntry(LogLevel level, std::string_view message, const Error* error,
                     const LogScene& scene) const {
  std::string entry;
  if (format_ == LogFormat::kJson) {
    entry = JsonEntry(level, message, error, scene);
  } else if (destination_.kind == LogKind::kFile) {
    entry = StrCat("time=\"", UtcNow(0), "\" level=", LevelName(level),
                   " msg=", Quote(message, std::string_view::npos), "\n");
  } else {  // the daemon writes down time and level itself
    entry = message;
  }
  if (destination_.kind == LogKind::kJournal)
    entry = JournalEntry(destination_.name, Priority(level), Trim(entry));
  if (destination_.kind == LogKind::kSyslog)
    entry = SyslogEntry(destination_.name, Priority(level), Trim(entry));
  WriteAll(descriptor(), entry);
}

void Log::Write(LogLevel level, std::string_view message) const {
  if (level < least_) return;
  WriteEntry(level, message, nullptr, {});
}

void Log::Fatal(std::string_view program, const Error& error, const LogScene& scene) const {
  std::string text = error.Text();
  if (!scene.command.empty()) text = StrCat(scene.command, ": ", text);
  if (file_ || format_ == LogFormat::kJson) WriteEntry(LogLevel::kError, text, &error, scene);
  if (file_ || format_ == LogFormat::kText) WriteAll(2, StrCat(program, ": ", text, "\n"));
}

}  // namespace kiste
