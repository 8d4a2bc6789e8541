// SPDX-License-Identifier: Apache-2.0
//
// Cgroups that exist: opened from saved paths, named, and joined.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/strings.h"
#include "sys/cgroup/cgroup.h"
#include "sys/cgroup/layout.h"

namespace kiste::sys::cgroup {

namespace {

// What `membership`, a path below the mount point, has more than the directory `path`, of which
// only the end is below the mount point.
Result<std::string> InnerPath(std::string_view path, std::string_view membership) {
  for (size_t at = 0; at != std::string_view::npos; at = path.find('/', at + 1)) {
    std::string_view outer = path.substr(at);
    if (membership == outer) return std::string();
    if (!membership.starts_with(outer) || membership[outer.size()] != '/') continue;
    return NormalPath(membership.substr(outer.size()));
  }
  return Fail(ErrorKind::kNotFound, StrCat(Quote(membership), " is not below cgroup ", path));
}

// The path in `memberships`, the text of /proc/<pid>/cgroup, in the directory's hierarchy; "" when
// there is no such line.
std::string_view PathIn(std::string_view memberships, const Directory& directory) {
  for (const auto& [controllers, path] : ParseMemberships(memberships)) {
    bool same = directory.v2
                    ? controllers.empty()
                    : !controllers.empty() && directory.Has(Split(controllers, ',').front());
    if (same) return path;
  }
  return {};
}

}  // namespace

Result<Cgroup> Cgroup::Open(const std::map<std::string, std::string>& paths) {
  Cgroup cgroup;
  for (const auto& [controller, path] : paths) {
    if (!path.starts_with('/')) {
      return Invalid(StrCat("cgroup path ", Quote(path), " is not absolute"));
    }
    std::string normal = TRY(NormalPath(path));
    auto same = std::ranges::find(cgroup.directories_, normal, &Directory::path);
    if (same == cgroup.directories_.end()) {
      Directory directory;
      directory.v2 = controller.empty();
      directory.path = std::move(normal);
      same = cgroup.directories_.insert(same, std::move(directory));
    }
    same->controllers.push_back(controller);
  }
  return cgroup;
}

std::map<std::string, std::string> Cgroup::paths() const {
  std::map<std::string, std::string> paths;
  for (const auto& directory : directories_) {
    for (const auto& controller : directory.controllers) paths[controller] = directory.path;
  }
  return paths;
}

const std::string* Cgroup::Path(std::string_view controller) const {
  if (const Directory* directory = Find(controller)) return &directory->path;
  const Directory* v2 = directories_.size() == 1 ? V2() : nullptr;
  return v2 == nullptr ? nullptr : &v2->path;
}

std::vector<std::string> Cgroup::Existing() const {
  std::vector<std::string> existing;
  for (const auto& directory : directories_) {
    if (access(directory.path.c_str(), F_OK) == 0) existing.push_back(directory.path);
  }
  return existing;
}

const Directory* Cgroup::Find(std::string_view controller) const {
  auto found = std::ranges::find_if(
      directories_, [&](const Directory& directory) { return directory.Has(controller); });
  return found == directories_.end() ? nullptr : &*found;
}

bool Cgroup::OnlyV2() const { return directories_.size() == 1 && directories_.front().v2; }

const Directory* Cgroup::V2() const {
  auto found = std::ranges::find_if(directories_, &Directory::v2);
  return found == directories_.end() ? nullptr : &*found;
}

Result<Cgroup> Cgroup::OpenSub(const std::vector<SubPath>& sub_paths) const {
  Cgroup sub;
  sub.directories_ = directories_;
  for (auto& directory : sub.directories_) directory.fresh = false;
  for (const auto& [controllers, path] : sub_paths) {
    if (path.empty() || path == "/") continue;
    std::string normal = TRY(NormalPath(path));
    for (const auto& controller : controllers) {
      if (Find(controller) != nullptr) continue;
      return Fail(
          ErrorKind::kUnsupported,
          StrCat("there is no cgroup v1 hierarchy with the controller ", Quote(controller)));
    }
    for (size_t i = 0; i < directories_.size(); ++i) {
      bool meant = controllers.empty() ||
                   std::ranges::any_of(controllers, [&](const std::string& controller) {
                     return directories_[i].Has(controller);
                   });
      if (meant) sub.directories_[i].path = directories_[i].path + normal;
    }
  }
  for (const auto& directory : sub.directories_) {
    auto fd = directory.Open("", O_PATH | O_DIRECTORY);
    if (!fd && IsMissing(fd.error())) {
      return Fail(ErrorKind::kNotFound, StrCat("cgroup ", directory.path, " does not exist"));
    }
    TRY(fd);
  }
  return sub;
}

Result<Cgroup> Cgroup::OpenAround(pid_t pid) const {
  Directory proc{.path = StrCat("/proc/", pid)};
  std::string memberships = TRY(proc.Read("cgroup"));
  Cgroup around;
  around.directories_ = directories_;
  for (auto& directory : around.directories_) {
    directory.fresh = false;
    for (auto line : Split(memberships, '\n')) {
      if (!directory.v2 || !line.starts_with("0::")) continue;
      std::string inner = TRY(InnerPath(directory.path, line.substr(3)));
      directory.path += inner;
    }
  }
  return around;
}

Result<JoinFds> Cgroup::OpenForJoining() const {
  JoinFds fds;
  for (const auto& directory : directories_) {
    if (directory.v2) {
      fds.cgroup2 = TRY(directory.Open("", O_PATH | O_DIRECTORY));
    } else {
      fds.tasks.push_back(TRY(directory.Open("tasks", O_WRONLY)));
    }
  }
  return fds;
}

Status Cgroup::Join(pid_t pid) const {
  for (const auto& directory : directories_) TRY(directory.Write("cgroup.procs", StrCat(pid)));
  return {};
}

Status Cgroup::JoinWhereMissing(pid_t pid) const {
  Directory proc{.path = StrCat("/proc/", pid)};
  std::string memberships = TRY(proc.Read("cgroup"));
  for (const auto& directory : directories_) {
    std::string_view inside = PathIn(memberships, directory);
    if (inside.size() > 1 && directory.path.ends_with(inside)) continue;
    TRY(directory.Write("cgroup.procs", StrCat(pid)));
  }
  return {};
}

Result<bool> Cgroup::MayEnter() const {
  const Directory* v2 = V2();
  if (v2 == nullptr) return true;
  // Not "self", which is a link.
  Directory proc{.path = StrCat("/proc/", getpid())};
  std::string memberships = TRY(proc.Read("cgroup"));
  std::string_view own = PathIn(memberships, *v2);
  // The mount point is what remains of the path where the kernel's names of both end.
  constexpr std::string_view kMountPoint = "/sys/fs/cgroup";
  std::string_view there = v2->path;
  if (!there.starts_with(kMountPoint)) return true;
  there.remove_prefix(kMountPoint.size());
  size_t common = 0;
  for (size_t i = 0; i <= std::min(own.size(), there.size()); ++i) {
    bool own_end = i == own.size() || own[i] == '/',
         there_end = i == there.size() || there[i] == '/';
    if (own_end && there_end) common = i;
    if (i == own.size() || i == there.size() || own[i] != there[i]) break;
  }
  std::string procs = StrCat(kMountPoint, there.substr(0, common), "/cgroup.procs");
  return access(procs.c_str(), W_OK) == 0;
}

}  // namespace kiste::sys::cgroup
