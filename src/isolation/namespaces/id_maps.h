// SPDX-License-Identifier: Apache-2.0
//
// uid_map and gid_map of a new user namespace (user_namespaces(7)): written directly where the
// kernel permits it, else by the set-user-ID helpers newuidmap(1) and newgidmap(1).
#pragma once

#include <sys/types.h>

#include "base/result.h"
#include "isolation/plan.h"

namespace kiste::isolation {

Status WriteIdMaps(pid_t pid, const NamespacePlan& namespaces);

}  // namespace kiste::isolation
