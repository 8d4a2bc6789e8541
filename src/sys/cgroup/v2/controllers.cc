// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup/v2/controllers.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/strings.h"

namespace kiste::sys::cgroup::v2 {

namespace {

// The words of a file like cgroup.controllers; none when it cannot be read.
std::vector<std::string> Words(const Directory& directory, std::string_view file) {
  std::vector<std::string> words;
  if (auto text = directory.Read(file)) {
    for (auto word : Split(Trim(*text), ' ')) {
      if (!word.empty()) words.emplace_back(word);
    }
  }
  return words;
}

// Enables `controllers` in every directory from the mount point to the parent of `directory`.
void Enable(const Directory& directory, const std::vector<std::string>& controllers) {
  if (controllers.empty()) return;
  std::vector<std::string> requests;
  requests.reserve(controllers.size());
  for (const auto& controller : controllers) requests.push_back("+" + controller);
  std::string together = Join(requests, " ");

  Directory level = directory;
  for (size_t end = directory.root_length; end != std::string::npos;
       end = directory.path.find('/', end + 1)) {
    if (end == directory.path.size()) break;
    level.path = directory.path.substr(0, end);
    if (level.Write("cgroup.subtree_control", together)) continue;
    // All or nothing: then those that can be.
    for (const auto& request : requests) (void)level.Write("cgroup.subtree_control", request);
  }
}

}  // namespace

void EnableAllControllers(const Directory& directory) {
  Directory root = directory;
  root.path.resize(directory.root_length);
  auto offered = Words(root, "cgroup.controllers");
  auto enabled = Words(directory, "cgroup.controllers");
  std::ranges::sort(offered);
  std::ranges::sort(enabled);
  if (offered != enabled) Enable(directory, offered);
}

void EnableController(const Directory& directory, std::string_view controller) {
  if (directory.root_length != 0) Enable(directory, {std::string(controller)});
}

Result<bool> HasController(const Directory& directory, std::string_view controller) {
  std::string text = TRY(directory.Read("cgroup.controllers"));
  auto words = Split(Trim(text), ' ');
  return std::ranges::find(words, controller) != words.end();
}

Status Delegate(const Directory& directory, uid_t uid) {
  std::vector<std::string> files = {"cgroup.procs", "cgroup.subtree_control", "cgroup.threads"};
  // Since Linux 4.15 the kernel says which files those are; not all are in every cgroup.
  Directory kernel{.path = "/sys/kernel/cgroup"};
  if (auto list = kernel.Read("delegate")) {
    files.clear();
    for (auto line : Split(*list, '\n')) {
      if (!line.empty() && CheckFileName("delegate", line)) files.emplace_back(line);
    }
  }
  Fd fd = TRY(directory.Open("", O_RDONLY | O_DIRECTORY));
  if (fchown(fd.get(), uid, static_cast<gid_t>(-1)) != 0) {
    return ErrnoError(StrCat("chown ", directory.path, " to ", uid));
  }
  for (const auto& file : files) {
    int changed =
        fchownat(fd.get(), file.c_str(), uid, static_cast<gid_t>(-1), AT_SYMLINK_NOFOLLOW);
    if (changed != 0 && errno != ENOENT) {
      return ErrnoError(StrCat("chown ", directory.path, "/", file, " to ", uid));
    }
  }
  return {};
}

}  // namespace kiste::sys::cgroup::v2
