// SPDX-License-Identifier: Apache-2.0
#include "sweep.h"

#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>

#include "cgroup_hierarchies.h"

namespace kiste::perf {
namespace {

// Kills children until none is left; orphans of the killed arrive here and are next.
int EndDescendants() {
  std::set<pid_t> seen;
  const std::string list = "/proc/self/task/" + std::to_string(getpid()) + "/children";
  for (int tries = 0; tries < 500; ++tries) {
    std::ifstream children(list);
    bool any = false;
    for (pid_t pid = 0; children >> pid; any = true) {
      seen.insert(pid);
      kill(pid, SIGKILL);
    }
    if (!any) break;
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    usleep(10'000);
  }
  return static_cast<int>(seen.size());
}

}  // namespace

Swept Sweep(const std::string& prefix, const std::string& work_directory) {
  Swept swept;
  const auto cgroups = FindCgroups(prefix);
  while (waitpid(-1, nullptr, WNOHANG) > 0) {  // what has ended by itself is not left behind
  }
  swept.cgroups = RemoveCgroups(cgroups);
  swept.processes = EndDescendants();
  umount2(work_directory.c_str(), MNT_DETACH);  // mounted only in the worker's namespace
  std::error_code ignored;
  std::filesystem::remove_all(work_directory, ignored);
  return swept;
}

}  // namespace kiste::perf
