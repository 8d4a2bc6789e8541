// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <cstring>

#include "base/strings.h"

namespace kiste {

std::string_view KindName(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid:
      return "invalid";
    case ErrorKind::kNotFound:
      return "not-found";
    case ErrorKind::kExists:
      return "exists";
    case ErrorKind::kState:
      return "state";
    case ErrorKind::kUnsupported:
      return "unsupported";
    case ErrorKind::kSystem:
      return "system";
    case ErrorKind::kTimeout:
      return "timeout";
  }
  return "unknown";
}

Error::Error() = default;
Error::Error(ErrorKind error_kind, int code, std::string what, std::string more)
    : kind(error_kind), errno_value(code), operation(std::move(what)), detail(std::move(more)) {}
Error::Error(const Error& other) = default;
Error::Error(Error&& other) noexcept = default;
Error& Error::operator=(const Error& other) = default;
Error& Error::operator=(Error&& other) noexcept = default;
Error::~Error() = default;

namespace {

// The words of strerror(3), untranslated, as runc's callers look for it: dockerd and its command
// line tell exit codes 126 and 127 by the lower-case words of Go's table ("permission denied", "no
// such file or directory").
std::string Words(int errno_value) {
  const char* known = strerrordesc_np(errno_value);
  std::string words = known != nullptr ? known : StrCat("Unknown error ", errno_value);
  bool is_abbreviation = words.size() > 1 && words[1] >= 'A' && words[1] <= 'Z';  // "RPC …"
  if (!words.empty() && words[0] >= 'A' && words[0] <= 'Z' && !is_abbreviation)
    words[0] += 'a' - 'A';
  return words;
}

}  // namespace

std::string Error::Text() const {
  std::string text = operation;
  if (!detail.empty()) {
    if (!text.empty()) text += ": ";
    text += detail;
  }
  if (errno_value != 0) {
    if (!text.empty()) text += ": ";
    text += Words(errno_value);
    if (const char* name = strerrorname_np(errno_value)) {
      text += " (";
      text += name;
      text += ")";
    }
  }
  return text;
}

Error Error::With(std::string_view context) && {
  std::string prefix(context);
  if (!operation.empty()) {
    prefix += ": ";
    context_size += static_cast<uint32_t>(prefix.size());
    prefix += operation;
  } else {
    context_size = static_cast<uint32_t>(prefix.size());
  }
  operation = std::move(prefix);
  return std::move(*this);
}

Error Error::At(const char* where) && {
  if (step == nullptr) step = where;
  return std::move(*this);
}

std::string_view Error::Call() const {
  if (call != nullptr) return call;
  if (errno_value == 0) return {};
  auto deed = std::string_view(operation).substr(context_size);
  return deed.substr(0, deed.find(' '));
}

std::string Error::Object() const {
  std::string_view deed = std::string_view(operation).substr(context_size);
  if (call != nullptr) return detail.empty() ? std::string(deed) : detail;
  if (errno_value != 0) {
    size_t space = deed.find(' ');
    return space == std::string_view::npos ? std::string() : std::string(deed.substr(space + 1));
  }
  constexpr std::string_view kExpected = "expected ";
  std::string text = operation;
  if (!detail.empty()) text += (text.empty() ? "" : ": ") + detail;
  if (size_t at = text.find(": " + std::string(kExpected)); at != std::string::npos) {
    return text.substr(0, at);
  }
  return text.starts_with(kExpected) ? std::string() : operation;
}

std::unexpected<Error> SystemError(int errno_value, std::string operation) {
  return std::unexpected(Error{ErrorKind::kSystem, errno_value, std::move(operation), {}});
}

std::unexpected<Error> ErrnoError(std::string operation) {
  return SystemError(errno, std::move(operation));
}

std::unexpected<Error> Fail(ErrorKind kind, std::string detail) {
  return std::unexpected(Error{kind, 0, {}, std::move(detail)});
}

}  // namespace kiste
