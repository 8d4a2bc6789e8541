// SPDX-License-Identifier: Apache-2.0
//
// Mounts of a container that exists, changed from outside (crun's `mounts add` and `mounts
// remove`). The change is made by a launcher in the container's user and mount namespace, which the
// container's processes can neither see nor signal; it joins the other namespaces only to mount a
// new file system, whose content they decide about (proc, sysfs, mqueue).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "oci/config.h"
#include "runtime/plan.h"
#include "runtime/store.h"

namespace kiste::runtime {

// Adds them in this order, all or none; missing mount points are made, and stay. Sources are the
// caller's, relative ones below the bundle. kState when the container has stopped; kUnsupported
// without a mount namespace of its own, for remounts and cgroup mounts.
Status AddMounts(const Store& store, const std::string& id, const std::vector<oci::Mount>& mounts,
                 Warn warn);
// Takes the mounts at these destinations away (MNT_DETACH), the last one first. None when one is no
// mount point, or has a symbolic link in it.
Status RemoveMounts(const Store& store, const std::string& id,
                    const std::vector<std::string>& destinations);

}  // namespace kiste::runtime
