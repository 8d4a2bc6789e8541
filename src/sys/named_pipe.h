// SPDX-License-Identifier: Apache-2.0
//
// FIFOs (fifo(7)), and descriptors that are to survive an exec (fcntl(2)).
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"

namespace kiste::sys {

// The mode is as given, whatever the umask.
Status MakeFifo(const std::string& path, mode_t mode);
// Takes close-on-exec away: the descriptor goes along into whatever is started from here.
Status KeepOnExec(int fd);
// Reads fail with EAGAIN instead of waiting.
Status SetNonblocking(int fd);

}  // namespace kiste::sys
