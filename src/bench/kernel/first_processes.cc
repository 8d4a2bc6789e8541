// SPDX-License-Identifier: Apache-2.0
#include "bench/kernel/first_processes.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "base/strings.h"
#include "sys/file.h"

namespace kiste::bench {

namespace {

Fd OpenBelow() {
  Fd below;
  std::thread opener([&below] {
    if (unshare(CLONE_NEWNS) != 0 || umount2("/proc", MNT_DETACH) != 0) return;
    auto proc = sys::Open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (proc) below = std::move(*proc);
  });
  opener.join();
  return below;
}

std::vector<int> Pids(int directory) {
  std::vector<int> pids;
  auto names = sys::ListDirectory(directory, "/proc");
  for (const auto& name : names ? *names : std::vector<std::string>()) {
    if (auto pid = ParseUint(name)) pids.push_back(static_cast<int>(*pid));
  }
  std::sort(pids.begin(), pids.end());
  return pids;
}

int ParentIn(std::string_view status) {
  for (auto line : Split(status, '\n')) {
    if (line.starts_with("PPid:"))
      return static_cast<int>(ParseInt(Trim(line.substr(5))).value_or(0));
  }
  return 0;
}

}  // namespace

Result<FirstProcesses> FirstProcesses::Open(int own_pid) {
  auto proc = OpenBelow();
  if (!proc.valid() || !sys::Exists(proc.get(), StrCat(own_pid, "/status"))) {
    return Fail(ErrorKind::kUnsupported,
                StrCat("/proc of the first pid namespace: expected process ", own_pid,
                       ", found none (not started in that namespace)"));
  }
  return FirstProcesses(std::move(proc));
}

std::unordered_map<int, int> FirstProcesses::Parents() const {
  std::unordered_map<int, int> parents;
  for (int pid : Pids(proc_.get())) {
    auto status = sys::ReadFileAt(proc_.get(), StrCat(pid, "/status"));
    auto tasks = sys::OpenAt(proc_.get(), StrCat(pid, "/task"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!status || !tasks) continue;  // gone by now
    parents[pid] = ParentIn(*status);
    for (int task : Pids(tasks->get())) {
      if (task != pid) parents[task] = pid;
    }
  }
  return parents;
}

std::vector<int> FirstProcesses::WithProgram(const std::string& program) const {
  return ProcessesWithProgram(proc_.get(), program);
}

std::vector<int> ProcessesWithProgram(int proc, const std::string& program) {
  std::vector<int> found;
  for (int pid : Pids(proc)) {
    auto line = sys::ReadFileAt(proc, StrCat(pid, "/cmdline"));
    if (!line) continue;
    auto first = std::string_view(*line).substr(0, line->find('\0'));
    if (first.ends_with(program)) found.push_back(pid);
  }
  return found;
}

}  // namespace kiste::bench
