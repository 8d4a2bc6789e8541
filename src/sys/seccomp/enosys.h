// SPDX-License-Identifier: Apache-2.0
//
// The stub in front of a filter that answers ENOSYS to system calls newer than the profile. C
// libraries try a new call and fall back to the old one only on ENOSYS (clone3, openat2,
// faccessat2): a profile whose default is EPERM or death, written before the call existed, would
// break every program the day its C library learns the call. "Newer" is every number above the
// largest that the profile names on that architecture; runc has drawn the line there since 1.0.0,
// and profiles have come to rely on it. Numbers without a rule below that line get the default.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <span>
#include <vector>

namespace kiste::sys {

struct LastSyscall {
  uint32_t architecture = 0;  // libseccomp's token, SCMP_ARCH_*
  uint32_t number = 0;        // with bit 30 set for x32
};

// Instructions to stand before a filter: they return ENOSYS or fall through to its first one.
// Architectures that are not in `last` fall through. Empty when `last` is.
std::vector<sock_filter> EnosysStub(std::span<const LastSyscall> last);

}  // namespace kiste::sys
