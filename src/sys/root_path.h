// SPDX-License-Identifier: Apache-2.0
//
// Paths inside a directory that somebody else may change: resolved by the kernel as if the
// directory were the root (openat2(2), RESOLVE_IN_ROOT, since Linux 5.6), so that no link leads
// out. (The launcher has its own, in system calls only.)
#pragma once

#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace kiste::sys {

// An O_PATH descriptor. EAGAIN when somebody goes on renaming while the path is looked up.
Result<Fd> OpenInRoot(int root, const std::string& path);

enum class MountPointKind { kDirectory, kFile };
// Makes what is missing of `path`, directories with mode 0755 and at the end one of the kind.
Status MakeInRoot(int root, const std::string& path, MountPointKind kind);

}  // namespace kiste::sys
