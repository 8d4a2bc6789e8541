// SPDX-License-Identifier: Apache-2.0
#include "sys/mountinfo.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/strings.h"
#include "sys/file.h"

namespace kiste::sys {

std::optional<MountLine> ReadMountLine(std::string_view line) {
  // id parent major:minor root point options [optional…] - type source options
  size_t dash = line.find(" - ");
  if (dash == std::string_view::npos) return std::nullopt;
  auto left = Split(line.substr(0, dash), ' ');
  auto right = Split(line.substr(dash + 3), ' ');
  if (left.size() < 6 || right.size() < 3) return std::nullopt;
  return MountLine{left[0], left[3], left[4], left[5], right[0], right[1], right[2]};
}

std::string UnescapeMountWord(std::string_view word) {
  std::string plain;
  for (size_t i = 0; i < word.size(); ++i) {
    auto code =
        word[i] == '\\' && i + 3 < word.size() ? ParseUint(word.substr(i + 1, 3), 8) : std::nullopt;
    plain += code ? static_cast<char>(*code) : word[i];
    if (code) i += 3;
  }
  return plain;
}

Result<std::vector<MountPlace>> ParseMountInfo(std::string_view text, const std::string& path) {
  std::vector<MountPlace> mounts;
  for (auto line : Split(text, '\n')) {
    if (line.empty()) continue;
    auto mount = ReadMountLine(line);
    auto id = mount ? ParseUint(mount->id) : std::nullopt;
    if (!id) return Fail(ErrorKind::kUnsupported, StrCat(path, ": not in the form of proc(5)"));
    mounts.push_back({*id, UnescapeMountWord(mount->point), std::string(mount->type),
                      std::string(mount->super_options)});
  }
  return mounts;
}

Result<std::vector<MountPlace>> MountsOf(pid_t pid) {
  std::string path = StrCat("/proc/", pid, "/mountinfo");
  return ParseMountInfo(TRY(ReadFileAt(AT_FDCWD, path)), path);
}

Result<OnMount> MountOf(int fd, const std::string& name) {
  struct statx status{};
  if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID | STATX_MODE | STATX_TYPE, &status) < 0)
    return ErrnoError(StrCat("statx ", name));
  if ((status.stx_mask & STATX_MNT_ID) == 0)
    return Fail(ErrorKind::kUnsupported, StrCat("statx ", name, ": tells no mount"));
  bool is_root = (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  return OnMount{status.stx_mnt_id, is_root, status.stx_mode};
}

}  // namespace kiste::sys
