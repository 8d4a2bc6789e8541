// SPDX-License-Identifier: Apache-2.0
//
// The mounts of a process's mount namespace (proc_pid_mountinfo(5)), as far as their places go.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kiste::sys {

// The words of a line as they stand there; its optional fields are left out. The views are into the
// line.
struct MountLine {
  std::string_view id, root, point, options;     // `options` of the mount
  std::string_view type, source, super_options;  // of its file system
};
// None if `line` is not in that form.
std::optional<MountLine> ReadMountLine(std::string_view line);
// Space, tab, newline and backslash are written as octal numbers: "\040".
std::string UnescapeMountWord(std::string_view word);

struct MountPlace {
  uint64_t id = 0;
  std::string point;    // as the process sees it
  std::string type;     // of its file system: "proc", "ext4"
  std::string options;  // of its file system: "rw,nsdelegate"
};

// Mounts that the process cannot reach from its root are not among them.
Result<std::vector<MountPlace>> MountsOf(pid_t pid);
// The pure part; `path` is for errors.
Result<std::vector<MountPlace>> ParseMountInfo(std::string_view text, const std::string& path);

// The mount that an open file or directory lies on (statx(2), STATX_MNT_ID, since Linux 5.8).
struct OnMount {
  uint64_t id = 0;
  bool is_root = false;  // it is what is mounted there
  uint32_t mode = 0;     // its type and permissions
};
Result<OnMount> MountOf(int fd, const std::string& name);

}  // namespace kiste::sys
