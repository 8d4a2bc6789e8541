// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup/walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "base/fd.h"

namespace kiste::sys::cgroup {

namespace {

constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// The names of the directories in `fd`.
Result<std::vector<std::string>> Children(int fd, const std::string& top) {
  // kernfs counts sub-directories: most cgroups have none and need no listing.
  struct stat status{};
  if (fstat(fd, &status) == 0 && status.st_nlink == 2) return {};
  Fd copy(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  std::unique_ptr<DIR, int (*)(DIR*)> stream(copy ? fdopendir(copy.get()) : nullptr, closedir);
  if (!stream) return ErrnoError("open the cgroups below " + top);
  (void)copy.Release();  // the stream's now

  std::vector<std::string> names;
  while (const dirent* entry = readdir(stream.get())) {
    std::string name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

Status Walk(const Directory& top, const Visitor& visitor) {
  auto opened = top.Open("", kDirectoryFlags);
  if (!opened && IsMissing(opened.error())) return {};
  Fd fd = TRY(std::move(opened));
  if (visitor.enter) TRY(visitor.enter(fd.get()));

  std::vector<std::vector<std::string>> to_visit;  // per level, from the top to where `fd` is
  std::vector<std::string> names;                  // of the levels below the top
  to_visit.push_back(TRY(Children(fd.get(), top.path)));
  while (true) {
    if (!to_visit.back().empty()) {
      std::string name = std::move(to_visit.back().back());
      to_visit.back().pop_back();
      Fd child(openat(fd.get(), name.c_str(), kDirectoryFlags));
      if (!child && (errno == ENOENT || errno == ENODEV)) continue;
      if (!child) return ErrnoError("open cgroup " + name + " below " + top.path);
      if (visitor.enter) TRY(visitor.enter(child.get()));
      to_visit.push_back(TRY(Children(child.get(), top.path)));
      names.push_back(std::move(name));
      fd = std::move(child);
      continue;
    }
    if (names.empty()) return {};
    // A cgroup never moves to another parent, so ".." leads back.
    Fd parent(openat(fd.get(), "..", kDirectoryFlags));
    if (!parent) return ErrnoError("open the parent of a cgroup below " + top.path);
    fd = std::move(parent);
    if (visitor.leave) TRY(visitor.leave(fd.get(), names.back()));
    names.pop_back();
    to_visit.pop_back();
  }
}

}  // namespace kiste::sys::cgroup
