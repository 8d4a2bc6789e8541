// SPDX-License-Identifier: Apache-2.0
//
// A container without a mount namespace of its own has its mounts in the host's (runtime-spec,
// config-linux.md, Namespaces: what is not listed is inherited). The launcher puts a clone of the
// root file system over it first, so that all of them lie on one mount; this takes that one away
// when the container is removed. runc leaves them.
#pragma once

#include <string>

#include "base/result.h"
#include "runtime/record.h"

namespace kiste::runtime {

// Where `rootfs` lies before anything is mounted there.
Result<HostRoot> LookBelowHostRoot(const std::string& rootfs);

// Takes away the mount that has come to lie on `record.rootfs` since. Nothing to do is no error: no
// mounts in the host's namespace, another mount namespace than the one they are in, gone already.
Status RemoveHostRoot(const Record& record);

}  // namespace kiste::runtime
