// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/deadline.h"
#include "base/result.h"

namespace kiste::sys {

// Waits until there is something to read of `fd`, be it the end (of a pidfd: of the process); false
// when the deadline is over.
Result<bool> WaitReadable(int fd, Deadline deadline);

}  // namespace kiste::sys
