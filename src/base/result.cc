// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <cstring>

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

std::string Error::Text() const {
  std::string text = operation;
  if (!detail.empty()) {
    if (!text.empty()) text += ": ";
    text += detail;
  }
  if (errno_value != 0) {
    if (!text.empty()) text += ": ";
    text += strerror(errno_value);
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
  if (!operation.empty()) prefix += ": " + operation;
  operation = std::move(prefix);
  return std::move(*this);
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
