// SPDX-License-Identifier: Apache-2.0
#include "bench/kernel/seccomp_of.h"

#include <sys/ptrace.h>
#include <sys/wait.h>

#include <map>
#include <string>
#include <vector>

#include "base/strings.h"
#include "sys/seccomp/reach.h"

namespace kiste::bench {

namespace {

using Filter = std::vector<sock_filter>;

// The length of a filter, and the filter itself where `data` is.
long GetFilter(pid_t pid, size_t number, sock_filter* data) {
  return ptrace(PTRACE_SECCOMP_GET_FILTER, pid, number, data);
}

Result<std::vector<Filter>> ReadFilters(pid_t pid) {
  std::vector<Filter> filters;
  while (true) {
    long length = GetFilter(pid, filters.size(), nullptr);
    // There is none, or not so many.
    if (length < 0 && (errno == ENOENT || errno == EINVAL)) return filters;
    if (length < 0) return ErrnoError(StrCat("ptrace filter of ", pid));
    Filter filter(static_cast<size_t>(length));
    if (GetFilter(pid, filters.size(), filter.data()) < 0)
      return ErrnoError(StrCat("ptrace filter of ", pid));
    filters.push_back(std::move(filter));
  }
}

std::map<std::string, sys::Reach> NativeCalls(const Filter& filter) {
  std::map<std::string, sys::Reach> calls;
  for (const auto& architecture : sys::FilterReach(filter)) {
    if (!architecture.native) continue;
    for (const auto& call : architecture.calls) calls[call.name] = call.reach;
  }
  return calls;
}

}  // namespace

Result<AllowedCalls> ReadAllowedCalls(pid_t pid) {
  if (ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) != 0)
    return ErrnoError(StrCat("ptrace seize ", pid));
  int status = 0;
  bool stopped = ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr) == 0 &&
                 waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status);
  auto filters = stopped ? ReadFilters(pid) : ErrnoError(StrCat("ptrace interrupt ", pid));
  ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
  if (!filters) return std::unexpected(std::move(filters).error());
  // Every filter must agree.
  auto calls = NativeCalls({});
  for (const auto& filter : *filters) {
    for (const auto& [name, reach] : NativeCalls(filter))
      calls[name] = std::min(calls[name], reach);
  }
  AllowedCalls allowed;
  allowed.filters = static_cast<int>(filters->size());
  allowed.known = static_cast<int>(calls.size());
  for (const auto& [name, reach] : calls) {
    if (reach == sys::Reach::kYes) ++allowed.whole;
    if (reach == sys::Reach::kPartly) ++allowed.partly;
  }
  return allowed;
}

}  // namespace kiste::bench
