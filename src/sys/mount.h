// SPDX-License-Identifier: Apache-2.0
//
// Mounts by descriptor, as far as the runtime itself makes them (open_tree(2), mount_setattr(2);
// Linux 5.12). The container's mounts are made by the launcher, in its own namespace.
#pragma once

#include <cstdint>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace kiste::sys {

enum class Depth { kThis, kRecursive };
// Whether a symbolic link at the end of a path is followed, or meant itself.
enum class Follow { kYes, kNo };

// A detached clone of the mount at `path`, from there on down; a slave of the original, so that
// nothing done to it comes back to the host. Vanishes with its descriptor unless it is attached.
Result<Fd> CloneTree(const std::string& path, Depth depth, Follow follow = Follow::kYes);

// Has `tree`, a clone that was never attached, show the ids of its files as `user_namespace` maps
// them (MOUNT_ATTR_IDMAP). EINVAL when its file system cannot (since Linux 5.12, each file system
// in its own time).
Status MapIds(int tree, int user_namespace, Depth depth);

// Takes away the mount whose root `fd` is, and all below it (umount2(2), MNT_DETACH). EINVAL when
// `fd` is no mount's root.
Status DetachMount(int fd, const std::string& name);

}  // namespace kiste::sys
