// SPDX-License-Identifier: Apache-2.0
//
// FIFOs (fifo(7)) and pipes, and descriptors that are to survive an exec (fcntl(2)).
#pragma once

#include <sys/types.h>

#include <string>

#include "base/deadline.h"
#include "base/result.h"

namespace kiste::sys {

// The mode is as given, whatever the umask.
Status MakeFifo(const std::string& path, mode_t mode);
// Takes close-on-exec away: the descriptor goes along into whatever is started from here.
Status KeepOnExec(int fd);
// Reads fail with EAGAIN instead of waiting.
Status SetNonblocking(int fd);
// All that comes from `fd`, a descriptor of any kind; kTimeout when its end has not come at the
// deadline, kInvalid when it has more than `limit` bytes. `name` is what errors call it.
Result<std::string> ReadInTime(int fd, const std::string& name, size_t limit, Deadline deadline);
// The same of a regular file, or of a pipe or FIFO (a shell's <(…)), whose writer is waited for
// too; kInvalid for any other kind of file.
Result<std::string> ReadFileOrPipe(const std::string& path, size_t limit, Deadline deadline);

}  // namespace kiste::sys
