// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup/layout.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "base/fd.h"
#include "base/strings.h"
#include "sys/mountinfo.h"

namespace kiste::sys::cgroup {

namespace {

constexpr char kUsualMountPoint[] = "/sys/fs/cgroup";
// The root of a cgroup file system (of any kernfs) has this inode number, a sub-tree has another.
constexpr ino_t kRootInode = 1;

// `path` of the hierarchy as seen below a mount whose root is `root`; "" when it is not below it.
std::string Below(std::string_view root, std::string_view path) {
  if (root == "/") return std::string(path);
  if (!path.starts_with(root)) return {};
  path.remove_prefix(root.size());
  if (path.empty()) return "/";
  return path.front() == '/' ? std::string(path) : std::string();
}

bool OptionsContain(std::string_view options, std::string_view wanted) {
  for (std::string_view option : Split(options, ',')) {
    if (option == wanted) return true;
  }
  return false;
}

// Collects the mounts of the hierarchies in `memberships` from lines of mountinfo.
class Collector {
 public:
  explicit Collector(std::vector<Membership> memberships) : memberships_(std::move(memberships)) {}

  void Line(std::string_view line) {
    if (line.find(" - cgroup") == std::string_view::npos) return;
    auto mount = ReadMountLine(line);
    if (!mount || !mount->point.starts_with('/')) return;
    bool v2 = mount->type == "cgroup2";
    if (!v2 && mount->type != "cgroup") return;
    for (auto at = memberships_.begin(); at != memberships_.end(); ++at) {
      if (at->controllers.empty() != v2) continue;
      auto controllers = Split(at->controllers, ',');
      if (!v2 && !OptionsContain(mount->super_options, controllers[0])) continue;
      Add(v2, controllers, UnescapeMountWord(mount->point),
          Below(UnescapeMountWord(mount->root), at->path));
      memberships_.erase(at);
      return;
    }
  }

  bool Complete() const { return memberships_.empty(); }

  void Add(bool v2, const std::vector<std::string_view>& controllers, std::string mount_point,
           std::string own) {
    layout_.hierarchies.push_back(
        {v2, {controllers.begin(), controllers.end()}, std::move(mount_point), std::move(own)});
  }

  Layout Take() && {
    bool v1 = false, v2 = false;
    for (const auto& hierarchy : layout_.hierarchies) (hierarchy.v2 ? v2 : v1) = true;
    layout_.kind = v1 && v2 ? Kind::kHybrid : v1 ? Kind::kV1 : v2 ? Kind::kV2 : Kind::kNone;
    return std::move(layout_);
  }

 private:
  std::vector<Membership> memberships_;  // whose mounts were not met yet
  Layout layout_;
};

// Reads `path` and hands over what there is so far after each block, until `enough` says so.
Status ReadUntil(const char* path, std::string& text, const std::function<bool()>& enough) {
  Fd fd(open(path, O_RDONLY | O_CLOEXEC));
  if (!fd) return ErrnoError(StrCat("open ", path));
  char block[4096];  // what one read of such a file gives at most
  while (true) {
    ssize_t got = read(fd.get(), block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError(StrCat("read ", path));
    if (got == 0) return {};
    text.append(block, static_cast<size_t>(got));
    if (enough()) return {};
  }
}

// The layout of a host with v2 only, if that can be told without mountinfo.
std::optional<Layout> DetectV2(const std::vector<Membership>& memberships) {
  struct statfs fs{};
  if (statfs(kUsualMountPoint, &fs) != 0 || fs.f_type != CGROUP2_SUPER_MAGIC) return std::nullopt;
  for (const auto& membership : memberships) {
    if (!membership.controllers.empty()) continue;
    struct stat root{};
    if (membership.path != "/" &&
        (stat(kUsualMountPoint, &root) != 0 || root.st_ino != kRootInode)) {
      return std::nullopt;  // a sub-tree is mounted: mountinfo says which
    }
    Layout layout{Kind::kV2, {}};
    layout.hierarchies.push_back({true, {""}, kUsualMountPoint, std::string(membership.path)});
    return layout;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Membership> ParseMemberships(std::string_view text) {
  std::vector<Membership> memberships;
  for (std::string_view line : Split(text, '\n')) {
    size_t first = line.find(':');
    if (first == std::string_view::npos) continue;
    size_t second = line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    if (line.substr(second + 1, 1) != "/") continue;
    memberships.push_back({line.substr(first + 1, second - first - 1), line.substr(second + 1)});
  }
  return memberships;
}

bool Hierarchy::Has(std::string_view controller) const {
  return std::ranges::find(controllers, controller) != controllers.end();
}

const Hierarchy* Layout::FindV1(std::string_view controller) const {
  for (const auto& hierarchy : hierarchies) {
    if (!hierarchy.v2 && hierarchy.Has(controller)) return &hierarchy;
  }
  return nullptr;
}

const Hierarchy* Layout::FindV2() const {
  for (const auto& hierarchy : hierarchies) {
    if (hierarchy.v2) return &hierarchy;
  }
  return nullptr;
}

Result<Layout> Detect() {
  std::string self_cgroup;
  TRY(ReadUntil("/proc/self/cgroup", self_cgroup, [] { return false; }));
  auto memberships = ParseMemberships(self_cgroup);
  if (auto layout = DetectV2(memberships)) return *std::move(layout);

  Collector collector(std::move(memberships));
  std::string mountinfo;
  size_t done = 0;
  TRY(ReadUntil("/proc/self/mountinfo", mountinfo, [&] {
    for (size_t end; (end = mountinfo.find('\n', done)) != std::string::npos; done = end + 1) {
      collector.Line(std::string_view(mountinfo).substr(done, end - done));
    }
    return collector.Complete();
  }));
  return std::move(collector).Take();
}

Layout Parse(std::string_view self_cgroup, std::string_view mountinfo) {
  Collector collector(ParseMemberships(self_cgroup));
  for (std::string_view line : Split(mountinfo, '\n')) collector.Line(line);
  return std::move(collector).Take();
}

}  // namespace kiste::sys::cgroup
