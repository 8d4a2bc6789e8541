// SPDX-License-Identifier: Apache-2.0
//
// The mount options of config.md ("Linux mount options") and mount(8) as bits for fsmount(2),
// mount_setattr(2) and fsconfig(2). One table; later options win over earlier ones.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "oci/config.h"

namespace kiste::oci {

// Applies `options` in order to `mount` (attr_set, super_flags, propagation, data, bind …). What
// is in no table is file-system data. Never fails for an unknown name: the file system judges.
void ApplyMountOptions(const std::vector<std::string>& options, Mount& mount);

// Every option name in the table, for `features`.
std::vector<std::string> KnownMountOptions();

}  // namespace kiste::oci
