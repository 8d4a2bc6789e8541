// SPDX-License-Identifier: Apache-2.0
//
// The words of config-linux.md, "Memory policy" (set_mempolicy(2)).
#pragma once

#include <array>
#include <string_view>

namespace kiste::oci {

inline constexpr std::array<std::string_view, 7> kMemoryModes = {
    "MPOL_DEFAULT",   "MPOL_BIND",           "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE",
    "MPOL_PREFERRED", "MPOL_PREFERRED_MANY", "MPOL_LOCAL",
};

inline constexpr std::array<std::string_view, 3> kMemoryFlags = {
    "MPOL_F_NUMA_BALANCING",
    "MPOL_F_RELATIVE_NODES",
    "MPOL_F_STATIC_NODES",
};

}  // namespace kiste::oci
