// SPDX-License-Identifier: Apache-2.0
//
// The namespaces of namespaces(7), by the names that config.json uses.
#pragma once

#include <sched.h>

#include "oci/name_table.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace kiste::oci {

inline constexpr NameTable<int, 8> kNamespaceNames = {{
    {"pid", CLONE_NEWPID},
    {"network", CLONE_NEWNET},
    {"mount", CLONE_NEWNS},
    {"ipc", CLONE_NEWIPC},
    {"uts", CLONE_NEWUTS},
    {"user", CLONE_NEWUSER},
    {"cgroup", CLONE_NEWCGROUP},
    {"time", CLONE_NEWTIME},
}};

}  // namespace kiste::oci
