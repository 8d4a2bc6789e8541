// SPDX-License-Identifier: Apache-2.0
#include "sys/user_namespace.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string_view>
#include <vector>

#include "base/defer.h"
#include "base/strings.h"
#include "sys/file.h"
#include "sys/pidfd.h"
#include "sys/raw_syscall.h"

namespace kiste::sys {

constexpr int kKillMs = 1000;

Result<Fd> MakeUserNamespace(const std::string& uid_map, const std::string& gid_map) {
  int pidfd = -1;
  clone_args arguments{};
  arguments.flags = CLONE_NEWUSER | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  long pid = Call<SYS_clone3>(&arguments, sizeof arguments);
  if (pid == 0) {  // a copy of this process: system calls only, until it is killed
    Call<SYS_prctl>(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    while (true) Call<SYS_ppoll>(nullptr, 0, nullptr, nullptr, 0);
  }
  if (pid < 0) return SystemError(static_cast<int>(-pid), "clone3 with a user namespace");
  const auto child = static_cast<pid_t>(pid);
  Defer end([child, owned = Fd(pidfd)] { KillChild(owned.get(), child, kKillMs); });
  const std::string folder = StrCat("/proc/", child, "/");
  TRY(WriteExisting(folder + "uid_map", uid_map));
  TRY(WriteExisting(folder + "gid_map", gid_map));
  return Open(folder + "ns/user", O_RDONLY);
}

static bool MapsLessThanAll() {
  auto map = ReadFileAt(AT_FDCWD, "/proc/self/uid_map", 4096);
  auto fields = map ? Split(Trim(*map), ' ') : std::vector<std::string_view>();
  return fields.empty() || fields.back() != "4294967295";
}

bool IsInUserNamespace() {
  static const bool kIsInside = MapsLessThanAll();  // a process does not leave it
  return kIsInside;
}

}  // namespace kiste::sys
