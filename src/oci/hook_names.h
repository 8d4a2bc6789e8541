// SPDX-License-Identifier: Apache-2.0
//
// The six kinds of hooks (config.md, "POSIX-platform Hooks"), in the order in which they run.
#pragma once

#include <vector>

#include "oci/config.h"
#include "oci/name_table.h"

namespace kiste::oci {

inline constexpr NameTable<std::vector<Hook> Hooks::*, 6> kHookNames = {{
    {"prestart", &Hooks::prestart},
    {"createRuntime", &Hooks::create_runtime},
    {"createContainer", &Hooks::create_container},
    {"startContainer", &Hooks::start_container},
    {"poststart", &Hooks::poststart},
    {"poststop", &Hooks::poststop},
}};

}  // namespace kiste::oci
