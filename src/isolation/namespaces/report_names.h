// SPDX-License-Identifier: Apache-2.0
//
// What numbers in a launcher's report (launcher/operations.h) are called in errors as data.
#pragma once

#include "isolation/namespaces/launcher/operations.h"

namespace kiste::isolation {

// The name of one of the launcher's system calls; nullptr for any other number.
const char* CallName(int number);

// The step of a container's life cycle that an operation belongs to: "namespaces", "cgroups",
// "root", "hooks", "terminal", "process", "seccomp", "exec" or "start".
const char* StepName(launcher::Op op);

}  // namespace kiste::isolation
