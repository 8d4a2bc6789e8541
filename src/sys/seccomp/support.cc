// SPDX-License-Identifier: Apache-2.0
//
// What the running kernel can do of what profiles may say.
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "sys/seccomp/seccomp.h"
#include "sys/seccomp/words.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

namespace kiste::sys {

// The kernel looks at the flags before it reads the filter: a filter that is nowhere is EFAULT when
// it knows them, and EINVAL when it does not.
std::vector<std::string_view> SupportedSeccompFlags() {
  std::vector<std::string_view> supported;
  for (auto word : SeccompFlags()) {
    auto bit = FlagBit(word);
    if (!bit) continue;
    uint32_t flags = *bit;
    // This one is for listeners only.
    if (flags == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
    long answer = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, nullptr);
    if (answer < 0 && errno == EFAULT) supported.push_back(word);
  }
  return supported;
}

}  // namespace kiste::sys
