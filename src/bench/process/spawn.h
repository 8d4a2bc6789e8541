// SPDX-License-Identifier: Apache-2.0
//
// The child's side of Running::Begin: between vfork(2) and execve(2), system calls only.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "bench/process/process.h"

namespace kiste::bench {

// `output` -1: /dev/null. The child's session is its own, it dies with us, no signal is blocked.
Result<pid_t> Spawn(const std::string& program, const Start& start, int output, int errors);

}  // namespace kiste::bench
