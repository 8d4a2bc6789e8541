// SPDX-License-Identifier: Apache-2.0
//
// The user namespace that we are in; and one that nobody is in, for its id mappings alone: what an
// id-mapped mount is given (mount_setattr(2), MOUNT_ATTR_IDMAP; user_namespaces(7)).
#pragma once

#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace kiste::sys {

// The maps are lines of "inside outside count". A short-lived child makes the namespace and has
// gone when this returns. Fails with EPERM for ids that the caller may not map.
Result<Fd> MakeUserNamespace(const std::string& uid_map, const std::string& gid_map);

// Whether this process is in a user namespace that is not the host's: one that does not map every
// id to itself (/proc/self/uid_map). True where the file cannot be read.
bool IsInUserNamespace();

}  // namespace kiste::sys
