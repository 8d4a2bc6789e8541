// SPDX-License-Identifier: Apache-2.0
//
// Seccomp filters: a profile in the runtime specification's words becomes the classic BPF program
// that the kernel runs before every system call (seccomp(2), config-linux.md "Seccomp"), and
// compiled programs are kept in a cache. Used by src/runtime, which copies the profile out of
// config.json, and by the launcher's plan, which carries the program; whoever is to be filtered
// installs it with seccomp(SECCOMP_SET_MODE_FILTER, flags, {filter}). Nothing here installs.
//
// libseccomp builds the tree of comparisons; in front of it stand a stub of our own (enosys.h) and
// the rules that it would take together wrongly (apart.h). A program depends on the profile and on
// the library linked, not on the running kernel.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kiste::sys {

struct SeccompArg {
  uint32_t index = 0;  // 0 to 5
  uint64_t value = 0;
  uint64_t value_two = 0;  // MASKED_EQ only: the argument masked with `value` equals it
  std::string op;          // SCMP_CMP_*
};

struct SeccompSyscall {
  std::vector<std::string> names;
  std::string action;                 // SCMP_ACT_*
  std::optional<uint32_t> errno_ret;  // ERRNO and TRACE only; EPERM when absent
  // Conditions, all of which must hold (AND); when two are on the same index each is a rule of its
  // own (OR), as with runc and crun.
  std::vector<SeccompArg> args;
};

struct SeccompProfile {
  std::string default_action;
  std::optional<uint32_t> default_errno_ret;
  std::vector<std::string> architectures;  // SCMP_ARCH_*; the native one is always in
  std::vector<std::string> flags;          // SECCOMP_FILTER_FLAG_*
  // Whom the runtime sends the listener to: no part of the program, nor of the cache's key.
  std::string listener_path, listener_metadata;
  std::vector<SeccompSyscall> syscalls;
};

struct SeccompProgram {
  std::vector<sock_filter> filter;  // 1 to BPF_MAXINSNS instructions
  uint32_t flags = 0;               // for seccomp(2); NEW_LISTENER when an action is NOTIFY
  // Names of system calls that libseccomp does not know on any architecture: their rules were left
  // out, so that the default (or ENOSYS, enosys.h) answers. For a debug log.
  std::vector<std::string> ignored;
};

// Compiles `profile`. kInvalid names the field by its path inside the profile
// ("syscalls[3].action") and the value; the caller puts the profile's own name in front. It stands
// for an unknown word, an index over 5, an errno that does not fit or whose action has none, rules
// that contradict each other, and NOTIFY as the default action or on write(2), which must get out
// of the launcher. kUnsupported: an architecture that this libseccomp lacks or cannot mix with the
// native one, or a program over the kernel's BPF_MAXINSNS.
Result<SeccompProgram> CompileSeccomp(const SeccompProfile& profile);

// The same through a cache of files in the directory `cache_dir_fd` (negative: none). A hit costs
// an open and a read and never touches libseccomp. Only a regular file that the effective user
// owns and nobody else can write is believed, and only when it holds this very profile's text;
// anything else is compiled afresh and replaced. Failures of the cache are never errors. Holds at
// most kSeccompCacheEntries files; the oldest go first.
Result<SeccompProgram> CompileSeccompCached(const SeccompProfile& profile, int cache_dir_fd);
inline constexpr size_t kSeccompCacheEntries = 64;

// The words understood in profiles, for `features`. Architectures: those of this libseccomp.
std::vector<std::string_view> SeccompActions();
std::vector<std::string_view> SeccompOperators();
std::vector<std::string_view> SeccompArchitectures();
std::vector<std::string_view> SeccompFlags();
// Those flags that the running kernel takes as well (seccomp(2) is asked, nothing is installed).
std::vector<std::string_view> SupportedSeccompFlags();

}  // namespace kiste::sys
