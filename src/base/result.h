// SPDX-License-Identifier: Apache-2.0
//
// Errors as values. Every fallible function of kiste returns Result<T>; the error names the
// operation (the system call, or what was being parsed) and the object, so that the text can be
// shown to a user as it is: `open /run/x/state.json: No such file or directory (ENOENT)`.
// Libraries return errors, the edges (main, servers) log them; nobody does both.
#pragma once

#include <cerrno>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace kiste {

// What kind of failure it was: what a caller can act on. Exit codes and gRPC codes map from it.
enum class ErrorKind : uint8_t {
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

  // What is only for errors as data (log.h). Texts that live as long as the program, or null: an
  // error stays as cheap to make and to pass as its two strings.
  const char* call = nullptr;  // the system call, where `operation` does not begin with it
  const char* step = nullptr;  // the step of a life cycle in which it happened: "cgroups"
  uint32_t context_size = 0;   // bytes that With() has put in front of `operation`

  // One line without a newline: context, operation, detail, strerror (in lower case, as Go writes
  // it: callers look for "no such file or directory") and the errno's name.
  std::string Text() const;
  // The same error with `context: ` in front of its operation.
  Error With(std::string_view context) &&;
  // The same error with its step; the first one stays, which is the nearest to the deed.
  Error At(const char* where) &&;

  // The system call that failed ("openat2"), or "" when none did.
  std::string_view Call() const;
  // What it was about: a path, a field ("config.json: process.args"), an option ("--env"); or "".
  std::string Object() const;
};

template <typename T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

// A system call failed with `errno_value`; `operation` is the call's name, a space and its object
// ("open /x"), which is how Call() and Object() tell them apart.
std::unexpected<Error> SystemError(int errno_value, std::string operation);
// The same with the calling thread's errno (only src/sys uses this).
std::unexpected<Error> ErrnoError(std::string operation);
// An error that is no system call's. Where an input is wrong `detail` is `<object>: expected
// <what>, found <value>`.
std::unexpected<Error> Fail(ErrorKind kind, std::string detail);
inline std::unexpected<Error> Invalid(std::string detail) {
  return Fail(ErrorKind::kInvalid, std::move(detail));
}
// Passes an error up with context in front.
template <typename T>
std::unexpected<Error> Context(Result<T>&& failed, std::string_view context) {
  return std::unexpected(std::move(failed).error().With(context));
}

// Passes a result on; an error gets its step.
template <typename T>
Result<T> AtStep(Result<T>&& result, const char* step) {
  if (!result) return std::unexpected(std::move(result).error().At(step));
  return std::move(result);
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

// TRY with the step of a life cycle.
#define TRY_STEP(expression, step) TRY(::kiste::AtStep(expression, step))

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
