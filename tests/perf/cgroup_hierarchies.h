// SPDX-License-Identifier: Apache-2.0
// The host's cgroups as far as cleaning needs them: find those whose name begins as ours do, in
// every hierarchy of /sys/fs/cgroup (v1, v2 or both), end what lives there, remove them.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace kiste::perf {

inline constexpr const char* kCgroupRoot = "/sys/fs/cgroup";
inline constexpr const char* kUnifiedUnderV1 = "/sys/fs/cgroup/unified";

bool IsCgroup2(const char* path);

// Directories of every hierarchy whose own or whose parent's name begins with prefix; children
// before parents.
std::vector<std::string> FindCgroups(std::string_view prefix);

// Thaws and kills every process in them (SIGKILL does not reach what v1's freezer holds), then
// removes them. Returns how many are gone; those that stay busy for two seconds are left.
int RemoveCgroups(const std::vector<std::string>& cgroups);

}  // namespace kiste::perf
