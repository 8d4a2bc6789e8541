// SPDX-License-Identifier: Apache-2.0
//
// Mounts, as far as the programs themselves make them: by descriptor (open_tree(2),
// mount_setattr(2); Linux 5.12) or by path (mount(2)). A container's mounts are made by the
// launcher, in its own namespace.
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

// A new file system of that type. `flags` are mount(2)'s MS_*, `data` the file system's own
// options.
Status Mount(const std::string& type, const std::string& target, unsigned long flags,
             const std::string& data = {});
Status BindMount(const std::string& source, const std::string& target);
// Detached at once, gone when nobody uses it any more (MNT_DETACH).
Status Unmount(const std::string& target);
// Nothing that is mounted in this namespace from now on is seen in others, and the reverse.
Status MakeMountsPrivate();

}  // namespace kiste::sys
