// SPDX-License-Identifier: Apache-2.0
//
// Cgroup::Create and its undo: the only place that makes directories.
#include <sys/stat.h>
#include <unistd.h>

#include "base/defer.h"
#include "base/strings.h"
#include "sys/cgroup/cgroup.h"
#include "sys/cgroup/v1/controllers.h"
#include "sys/cgroup/v2/controllers.h"

namespace kiste::sys::cgroup {

namespace {

// `path` with its ".." resolved by the letters alone: never above the root, whatever it says, and
// of the same kind, absolute or relative (as in runc, which engines write such paths for).
std::string WithoutDotDot(std::string_view path) {
  std::vector<std::string> pieces;
  for (auto piece : Split(path, '/')) {
    if (piece != "..") {
      pieces.emplace_back(piece);
    } else if (!pieces.empty()) {
      pieces.pop_back();
    }
  }
  return Join(pieces, "/");
}

// The path of the cgroup `path` (normal; absolute or not is `relative`) in this hierarchy.
Result<std::string> Place(const Hierarchy& hierarchy, const std::string& path, bool relative,
                          bool pure_v2) {
  if (!relative) return hierarchy.mount_point + path;
  std::string_view own = hierarchy.own;
  if (own.empty()) {
    return Fail(ErrorKind::kUnsupported, StrCat("cgroup path ", Quote(path.substr(1)),
                                                " is relative, and this process's own ",
                                                "cgroup is not below ", hierarchy.mount_point));
  }
  // Only a v2 cgroup without processes of its own can have controllers for those below it.
  if (pure_v2) own = own.substr(0, own.rfind('/'));
  if (own == "/") own = {};
  return StrCat(hierarchy.mount_point, own, path);
}

// mkdir -p for what is longer than `root_length`; what it makes is added to `made`.
Status MakeDirectories(const std::string& path, size_t root_length,
                       std::vector<std::string>& made) {
  int failure = mkdir(path.c_str(), 0755) == 0 ? 0 : errno;
  if (failure == ENOENT) {
    size_t slash = path.rfind('/');
    if (slash != std::string::npos && slash > root_length) {
      TRY(MakeDirectories(path.substr(0, slash), root_length, made));
      failure = mkdir(path.c_str(), 0755) == 0 ? 0 : errno;
    }
  }
  if (failure == EEXIST) return {};
  if (failure != 0) return SystemError(failure, "mkdir " + path);
  made.push_back(path);
  return {};
}

}  // namespace

Result<Cgroup> Cgroup::Plan(const Layout& layout, std::string_view path) {
  if (layout.kind == Kind::kNone) {
    return Fail(ErrorKind::kUnsupported, "no cgroup file system is mounted");
  }
  bool relative = !path.starts_with('/');
  std::string normal = TRY(NormalPath(WithoutDotDot(path)));
  Cgroup cgroup;
  cgroup.pure_v2_ = layout.kind == Kind::kV2;
  for (const auto& hierarchy : layout.hierarchies) {
    Directory directory;
    directory.v2 = hierarchy.v2;
    directory.controllers = hierarchy.controllers;
    directory.root_length = hierarchy.mount_point.size();
    directory.path = TRY(Place(hierarchy, normal, relative, cgroup.pure_v2_));
    cgroup.directories_.push_back(std::move(directory));
  }
  return cgroup;
}

Status Cgroup::Make() {
  Defer undo([&] { Undo(); });
  created_ = true;
  for (auto& directory : directories_) {
    size_t before = made_.size();
    TRY(MakeDirectories(directory.path, directory.root_length, made_));
    size_t made = made_.size() - before;
    directory.fresh = made > 0 && made_.back() == directory.path;
    created_ = created_ && directory.fresh;
    if (directory.Has("cpuset")) TRY(v1::InheritCpuset(directory, directory.fresh ? made : 0));
    if (directory.v2 && pure_v2_) v2::EnableAllControllers(directory);
  }
  undo.Cancel();
  return {};
}

Result<Cgroup> Cgroup::Create(const Layout& layout, std::string_view path) {
  auto cgroup = TRY(Plan(layout, path));
  TRY(cgroup.Make());
  return cgroup;
}

void Cgroup::Undo() {
  // What is in an existing cgroup belongs to somebody else.
  std::erase_if(directories_, [](const Directory& directory) { return !directory.fresh; });
  (void)Remove(std::chrono::seconds(1));
  for (auto path = made_.rbegin(); path != made_.rend(); ++path) rmdir(path->c_str());
  made_.clear();
  directories_.clear();
}

}  // namespace kiste::sys::cgroup
