// SPDX-License-Identifier: Apache-2.0
//
// POSIX message queues (mq_overview(7)): one per name and ipc namespace, until it is unlinked.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace kiste::sys {

// A new queue; `name` begins with a slash. EEXIST when it is taken.
Result<Fd> MakeQueue(const std::string& name, mode_t mode);
// How many messages wait.
Result<size_t> QueueLength(int queue);
Status UnlinkQueue(const std::string& name);
// Gives the directory of an mqueue file system (O_PATH will do) an SELinux label; kInvalid when it
// is anything else.
Status LabelQueues(int directory, const std::string& label);

}  // namespace kiste::sys
