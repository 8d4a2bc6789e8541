// SPDX-License-Identifier: Apache-2.0
//
// Errors as values. Every fallible function of kiste returns Result<T>; the error names the
// operation (the system call, or what was being parsed) and the object, so that the text can be
// shown to a user as it is: `open /run/x/state.json: No such file or directory (ENOENT)`.
// Libraries return errors, the edges (main, servers) log them; nobody does both.
#pragma once

#include <cerrno>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace kiste {

// What kind of failure it was: what a caller can act on. Exit codes and gRPC codes map from it.
enum class ErrorKind {
  kInvalid,      // the input is wrong: JSON, option, field
  kNotFound,     // no such container, file, command
  kExists,       // the id is taken
  kState,        // the container is in the wrong state for the request
  kUnsupported,  // this host or this build cannot do it
  kSystem,       // a system call failed; errno_value says how
  kTimeout,      // a bounded wait ran out
};

// The kind's word in structured logs, e.g. "not-found".
std::string_view KindName(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::kSystem;
  int errno_value = 0;    // 0 unless a system call failed
  std::string operation;  // system call or step, with its object: "mount proc on /proc"
  std::string detail;     // more words, for errors that are not a bare errno

  // One line without a newline: context, operation, detail, strerror and the errno's name.
  std::string Text() const;
  // The same error with `context: ` in front of its operation.
  Error With(std::string_view context) &&;
};

template <typename T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

// A system call failed with `errno_value`; `operation` names call and object.
std::unexpected<Error> SystemError(int errno_value, std::string operation);
// The same with the calling thread's errno (only src/sys uses this).
std::unexpected<Error> ErrnoError(std::string operation);
// An error that is no system call's.
std::unexpected<Error> Fail(ErrorKind kind, std::string detail);
inline std::unexpected<Error> Invalid(std::string detail) {
  return Fail(ErrorKind::kInvalid, std::move(detail));
}
// Passes an error up with context in front.
template <typename T>
std::unexpected<Error> Context(Result<T>&& failed, std::string_view context) {
  return std::unexpected(std::move(failed).error().With(context));
}

}  // namespace kiste

// Evaluates to the value, or returns the error from the enclosing function. Stands alone or is the
// whole right-hand side of an initialisation (never inside a braced aggregate: it would leak the
// members already built).
#define TRY(expression)                                                        \
  __extension__({                                                              \
    auto&& try_result_ = (expression);                                         \
    if (!try_result_) [[unlikely]]                                             \
      return std::unexpected(std::move(try_result_).error());                  \
    ::kiste::internal::Take(std::forward<decltype(try_result_)>(try_result_)); \
  })

// TRY with context put in front of the error.
#define TRY_CONTEXT(expression, context)                                       \
  __extension__({                                                              \
    auto&& try_result_ = (expression);                                         \
    if (!try_result_) [[unlikely]]                                             \
      return std::unexpected(std::move(try_result_).error().With(context));    \
    ::kiste::internal::Take(std::forward<decltype(try_result_)>(try_result_)); \
  })

namespace kiste::internal {

template <typename T>
T Take(Result<T>&& result) {
  return *std::move(result);
}
template <typename T>
T Take(Result<T>& result) {
  return *std::move(result);
}
inline void Take(Status&&) {}
inline void Take(Status&) {}

}  // namespace kiste::internal
