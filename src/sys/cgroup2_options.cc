// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup2_options.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strings.h"
#include "sys/mountinfo.h"

namespace kiste::sys {

Result<Cgroup2Options> Cgroup2Options::Read() {
  Cgroup2Options found;
  for (auto& mount : TRY(MountsOf(getpid()))) {
    if (mount.type != "cgroup2") continue;
    found.point_ = std::move(mount.point);
    for (auto option : Split(mount.options, ',')) {
      if (option != "rw" && option != "ro") found.options_.emplace_back(option);
    }
    break;
  }
  return found;
}

Status Cgroup2Options::Restore() const {
  if (point_.empty() || TRY(Read()).options_ == options_) return {};
  Fd context(fspick(AT_FDCWD, point_.c_str(), FSPICK_CLOEXEC));
  if (!context) return ErrnoError(StrCat("fspick ", point_));
  for (const auto& option : options_) {
    if (fsconfig(context.get(), FSCONFIG_SET_FLAG, option.c_str(), nullptr, 0) < 0)
      return ErrnoError(StrCat("fsconfig ", point_, " ", option));
  }
  if (fsconfig(context.get(), FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0) < 0)
    return ErrnoError(StrCat("fsconfig ", point_));
  return {};
}

}  // namespace kiste::sys
