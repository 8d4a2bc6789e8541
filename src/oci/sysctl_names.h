// SPDX-License-Identifier: Apache-2.0
//
// Which namespace a kernel parameter belongs to. Only those of a namespace of the container's own
// may be set: all others are the host's (kernel: ipc/ipc_sysctl.c, ipc/mq_sysctl.c,
// net/sysctl_net.c, kernel/utsname_sysctl.c, kernel/ucount.c; runc draws the same line).
#pragma once

#include <string>
#include <string_view>

namespace kiste::oci {

// The file of parameter `name` below /proc/sys. Both spellings of sysctl(8) are read: the first
// separator says which of '.' and '/' separates; the other one then stands for a '.' in the
// file's name. "" for a name that is no such file: empty, or with an empty part, "." or "..".
std::string SysctlPath(std::string_view name);

// The CLONE_NEW* flag of the namespace that the parameter in `path` (of SysctlPath) is part of;
// 0 when it is the whole host's.
int SysctlNamespace(std::string_view path);

}  // namespace kiste::oci
