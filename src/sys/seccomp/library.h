// SPDX-License-Identifier: Apache-2.0
//
// libseccomp's calls with this project's ownership and errors, for what compiles with it.
#pragma once

#include <linux/filter.h>
#include <seccomp.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kiste::sys {

struct ReleaseFilter {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, ReleaseFilter>;

// One action for one call under conditions that must all hold, each on an argument of its own.
struct Rule {
  uint32_t action = 0;  // SCMP_ACT_*
  int number = 0;       // the call's, as libseccomp gives it for the native architecture
  std::vector<scmp_arg_cmp> conditions;
  size_t index = 0;  // of the profile's rule, and the name there: for errors
  std::string name;
};

// libseccomp reports failures as negative errno values.
std::unexpected<Error> LibraryError(int result, std::string_view operation);
// "syscalls[3].names"
std::string Field(size_t index, std::string_view member);
// kInvalid when a rule with the same conditions says otherwise.
std::unexpected<Error> Contradiction(const Rule& rule);
Status AddRule(const Filter& filter, const Rule& rule);
// The program that libseccomp generates; at least one instruction.
Result<std::vector<sock_filter>> Export(const Filter& filter);
// kUnsupported: more instructions than the kernel takes.
Status CheckLength(std::span<const sock_filter> filter);

}  // namespace kiste::sys
