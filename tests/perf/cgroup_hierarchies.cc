// SPDX-License-Identifier: Apache-2.0
#include "cgroup_hierarchies.h"

#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>

namespace kiste::perf {
namespace {

namespace fs = std::filesystem;

// Not through symlinks: cpu -> cpu,cpuacct would be walked twice.
void Walk(const fs::path& directory, std::string_view prefix, bool ours,
          std::vector<std::string>& out) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    if (entry.is_symlink(error) || !entry.is_directory(error)) continue;
    const bool match = ours || entry.path().filename().native().starts_with(prefix);
    Walk(entry.path(), prefix, match, out);
    if (match) out.push_back(entry.path().native());
  }
}

void WriteQuietly(const std::string& path, const char* text) {
  if (access(path.c_str(), W_OK) == 0) std::ofstream(path) << text;
}

void Kill(const std::string& cgroup) {
  WriteQuietly(cgroup + "/freezer.state", "THAWED");
  WriteQuietly(cgroup + "/cgroup.freeze", "0");
  std::ifstream processes(cgroup + "/cgroup.procs");
  for (pid_t pid = 0; processes >> pid;) {
    if (pid > 1 && pid != getpid()) kill(pid, SIGKILL);
  }
}

}  // namespace

bool IsCgroup2(const char* path) {
  struct statfs info{};
  return statfs(path, &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

std::vector<std::string> FindCgroups(std::string_view prefix) {
  std::vector<std::string> out;
  Walk(kCgroupRoot, prefix, false, out);
  return out;
}

int RemoveCgroups(const std::vector<std::string>& cgroups) {
  int removed = 0;
  for (const std::string& cgroup : cgroups) Kill(cgroup);
  for (const std::string& cgroup : cgroups) {
    for (int tries = 0; tries < 200; ++tries) {
      if (rmdir(cgroup.c_str()) == 0) {
        ++removed;
        break;
      }
      if (errno != EBUSY) break;
      Kill(cgroup);
      while (waitpid(-1, nullptr, WNOHANG) > 0) {  // orphans that came to us
      }
      usleep(10'000);
    }
  }
  return removed;
}

}  // namespace kiste::perf
