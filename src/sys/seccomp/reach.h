// SPDX-License-Identifier: Apache-2.0
//
// What a compiled filter lets through, found by walking its instructions as the kernel would for
// each architecture and number, with arguments that may be anything. Used by `surface`: the answer
// comes from the program that is installed, not from the profile's words.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kiste::sys {

enum class Reach {
  kNo,      // every path ends in an errno, a signal or a kill
  kPartly,  // it depends on the arguments, or another process decides (TRACE, NOTIFY)
  kYes,     // ALLOW or LOG, whatever the arguments
};

struct SyscallReach {
  std::string name;
  Reach reach = Reach::kNo;
};

struct ArchitectureReach {
  std::string_view architecture;  // "x86_64", as libseccomp calls it in lower case
  bool native = false;
  std::vector<SyscallReach> calls;  // all that libseccomp knows there, by number
};

// For every architecture whose programs this machine's kernel can run, the native one first. An
// empty filter lets everything through. Arguments are not compared with each other: a call that one
// rule allows and another one with the same condition refuses counts as kPartly.
std::vector<ArchitectureReach> FilterReach(std::span<const sock_filter> filter);

}  // namespace kiste::sys
