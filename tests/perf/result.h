// SPDX-License-Identifier: Apache-2.0
// Errors as values, for the benchmark alone: it shares no code with the runtime that it measures.
// An Error is one line for people; the edge (main.cc, report.cc) prints it.
#pragma once

#include <cerrno>
#include <cstring>
#include <expected>
#include <string>
#include <type_traits>
#include <utility>

namespace kiste::perf {

struct Error {
  std::string text;
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> Fail(std::string text) {
  return std::unexpected(Error{std::move(text)});
}

// "open /x: No such file or directory", from errno.
inline std::unexpected<Error> FailErrno(const std::string& what) {
  return Fail(what + ": " + std::strerror(errno));
}

// What TRY yields; unlike operator* it may be discarded.
template <class T>
T TakeValue(Result<T>&& result) {
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

}  // namespace kiste::perf

// The value of a Result, or return its error from this function. Stands alone or is the whole
// right-hand side.
#define TRY(...)                                                            \
  __extension__({                                                           \
    auto try_result = (__VA_ARGS__);                                        \
    if (!try_result) return std::unexpected(std::move(try_result).error()); \
    ::kiste::perf::TakeValue(std::move(try_result));                        \
  })
