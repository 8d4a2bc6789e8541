// SPDX-License-Identifier: Apache-2.0
#include "sys/capabilities.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace kiste::sys {

Result<uint64_t> GrantableCapabilities(uint64_t wanted) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  if (syscall(SYS_capget, &header, data) < 0) return ErrnoError("capget");
  uint64_t permitted = data[0].permitted | static_cast<uint64_t>(data[1].permitted) << 32;
  uint64_t grantable = 0;
  for (unsigned capability = 0; capability < 64; ++capability) {
    uint64_t bit = uint64_t{1} << capability;
    if ((wanted & permitted & bit) == 0) continue;
    if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1) grantable |= bit;
  }
  return grantable;
}

}  // namespace kiste::sys
