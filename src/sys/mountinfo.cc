// SPDX-License-Identifier: Apache-2.0
#include "sys/mountinfo.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/strings.h"
#include "sys/file.h"

namespace kiste::sys {

namespace {

// Space, tab, newline and backslash are written as octal numbers: "\040".
std::string Unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    auto code =
        text[i] == '\\' && i + 3 < text.size() ? ParseUint(text.substr(i + 1, 3), 8) : std::nullopt;
    plain += code ? static_cast<char>(*code) : text[i];
    if (code) i += 3;
  }
  return plain;
}

}  // namespace

Result<std::vector<MountPlace>> ParseMountInfo(std::string_view text, const std::string& path) {
  // id parent major:minor root point options [optional…] - type source options
  constexpr size_t kId = 0, kPoint = 4;
  std::vector<MountPlace> mounts;
  for (auto line : Split(text, '\n')) {
    if (line.empty()) continue;
    auto fields = Split(line, ' ');
    auto id = ParseUint(fields[kId]);
    auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() <= kPoint || !id || fields.end() - dash < 2)
      return Fail(ErrorKind::kUnsupported, StrCat(path, ": not in the form of proc(5)"));
    mounts.push_back(
        {*id, Unescape(fields[kPoint]), std::string(dash[1]), std::string(fields.back())});
  }
  return mounts;
}

Result<std::vector<MountPlace>> MountsOf(pid_t pid) {
  std::string path = StrCat("/proc/", pid, "/mountinfo");
  return ParseMountInfo(TRY(ReadFileAt(AT_FDCWD, path)), path);
}

Result<OnMount> MountOf(int fd, const std::string& name) {
  struct statx status {};
  if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID | STATX_MODE | STATX_TYPE, &status) < 0)
    return ErrnoError(StrCat("statx ", name));
  if ((status.stx_mask & STATX_MNT_ID) == 0)
    return Fail(ErrorKind::kUnsupported, StrCat("statx ", name, ": tells no mount"));
  bool is_root = (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  return OnMount{status.stx_mnt_id, is_root, status.stx_mode};
}

}  // namespace kiste::sys
