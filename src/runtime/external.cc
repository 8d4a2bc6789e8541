// SPDX-License-Identifier: Apache-2.0
#include "runtime/external.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <charconv>

#include "base/strings.h"
#include "sys/file.h"
#include "sys/mountinfo.h"
#include "sys/root_path.h"

namespace kiste::runtime {

namespace {

constexpr char kNull[] = "/dev/null";
constexpr int kStreams = 3;

// As criu writes it, in hexadecimal: file[<mount id>:<inode>], tty[<device>:<file system's
// device>].
std::string ExternalName(std::string_view kind, uint64_t first, uint64_t second) {
  char digits[2][20] = {};
  std::to_chars(digits[0], std::end(digits[0]), first, 16);
  std::to_chars(digits[1], std::end(digits[1]), second, 16);
  return StrCat(kind, "[", digits[0], ":", digits[1], "]");
}

constexpr unsigned kMemoryMajor =
    1;  // /dev/null and its like; Documentation/admin-guide/devices.txt
constexpr unsigned kTerminalMajors[] = {4, 5, 136, 137, 138, 139, 140, 141, 142, 143};

bool IsDevice(const struct stat& status, unsigned of) {
  return S_ISCHR(status.st_mode) && major(status.st_rdev) == of;
}

bool IsTerminal(const struct stat& status) {
  return std::ranges::any_of(kTerminalMajors, [&](unsigned of) { return IsDevice(status, of); });
}

std::string_view CriuName(int flag) {
  switch (flag) {
    case CLONE_NEWNS:
      return "mnt";
    case CLONE_NEWIPC:
      return "ipc";
    case CLONE_NEWUTS:
      return "uts";
    case CLONE_NEWUSER:
      return "user";
    default:
      return "time";
  }
}

// What is mounted at `path` in `root`, if something is: its place as the process sees it.
std::string PlaceOf(int root, const std::string& path, const std::vector<sys::MountPlace>& places,
                    uint32_t& mode) {
  auto file = sys::OpenInRoot(root, path);
  if (!file) return "";
  auto on = sys::MountOf(file->get(), path);
  if (!on || !on->is_root) return "";
  mode = on->mode;
  auto place = std::ranges::find(places, on->id, &sys::MountPlace::id);
  return place == places.end() || place->point == "/" ? "" : place->point;
}

std::string BindSource(const oci::Mount& mount, const std::string& bundle) {
  return mount.source.starts_with('/') ? mount.source : StrCat(bundle, "/", mount.source);
}

bool IsBelow(const std::string& path, const std::string& directory) {
  return path.size() > directory.size() + 1 && path.starts_with(directory) &&
         path[directory.size()] == '/';
}

// The key of a namespace that comes from outside, as runc and crun have it.
std::string ExternalKey(int flag) { return flag == CLONE_NEWNET ? "extRootNetNS" : "extRootPidNS"; }

bool IsExternal(const oci::Namespace& ns) {
  return !ns.path.empty() && (ns.flag == CLONE_NEWNET || ns.flag == CLONE_NEWPID);
}

}  // namespace

Result<std::vector<ExternalMount>> ExternalMounts(const RootRequest& request) {
  std::vector<ExternalMount> mounts;
  for (const auto& mount : request.config.mounts) {
    std::string destination = sys::CleanPath(StrCat("/", mount.destination));
    if (mount.bind && !mount.remount) {
      mounts.push_back({std::move(destination), BindSource(mount, request.bundle)});
    } else if (mount.type == "cgroup") {
      for (const auto& step : PlanCgroupMount(request, mount)) {
        if (step.mount.bind) mounts.push_back({step.mount.destination, step.mount.source});
      }
    }
  }
  isolation::RootPlan root;
  TRY(PlanDevices(request.config, request.caller, root));
  if (!root.bind_devices) return mounts;
  for (const auto& device : root.devices) mounts.push_back({device.path, device.path});
  return mounts;
}

Result<std::vector<sys::criu::Named>> MountsToLeaveOut(const std::vector<ExternalMount>& mounts,
                                                       const oci::Config& config, pid_t pid) {
  auto places = TRY(sys::MountsOf(pid));
  Fd root = TRY(sys::Open(StrCat("/proc/", pid, "/root"), O_PATH | O_DIRECTORY));
  std::vector<sys::criu::Named> named;
  uint32_t mode = 0;
  for (const auto& mount : mounts) {
    std::string place = PlaceOf(root.get(), mount.destination, places, mode);
    if (!place.empty()) named.push_back({std::move(place), mount.destination});
  }
  for (const auto& path : config.linux.masked_paths) {
    std::string place = PlaceOf(root.get(), path, places, mode);
    // A directory is masked by a file system of the container's own.
    if (!place.empty() && !S_ISDIR(mode)) named.push_back({std::move(place), kNull});
  }
  return named;
}

std::vector<sys::criu::Named> MountsToBind(const std::vector<ExternalMount>& mounts,
                                           const oci::Config& config) {
  std::vector<sys::criu::Named> named;
  for (const auto& mount : mounts) named.push_back({mount.destination, mount.source});
  if (!config.linux.masked_paths.empty()) named.push_back({kNull, kNull});
  return named;
}

Status MakeMountPoints(const oci::Config& config, const std::string& rootfs,
                       const std::string& bundle) {
  struct Base {
    std::string destination, source;
    bool made_by_criu;
  };
  std::vector<Base> bases = {{"", rootfs, false}};
  for (const auto& mount : config.mounts) {
    std::string destination = sys::CleanPath(StrCat("/", mount.destination));
    // The mount it lies on: the last one before it on the way there.
    auto base = std::ranges::find_if(bases.rbegin(), bases.rend(), [&](const Base& candidate) {
      return candidate.destination.empty() || IsBelow(destination, candidate.destination);
    });
    bool is_bind = mount.bind && !mount.remount;
    std::string source = is_bind ? BindSource(mount, bundle) : mount.source;
    auto kind = sys::MountPointKind::kDirectory;
    if (is_bind) {
      auto status = TRY_CONTEXT(sys::StatAt(AT_FDCWD, source), "mounts");
      if (!S_ISDIR(status.st_mode)) kind = sys::MountPointKind::kFile;
    }
    if (!base->made_by_criu && mount.type != "cgroup") {
      Fd root = TRY(sys::Open(base->source, O_PATH | O_DIRECTORY));
      TRY_CONTEXT(sys::MakeInRoot(root.get(), destination.substr(base->destination.size()), kind),
                  StrCat("mount point ", destination));
    }
    if (kind == sys::MountPointKind::kDirectory && destination != "/")
      bases.push_back({std::move(destination), std::move(source), !is_bind});
  }
  return {};
}

Result<std::vector<std::string>> NamespacesToLeaveOut(const oci::Config& config, pid_t pid) {
  std::vector<std::string> external;
  for (const auto& ns : config.linux.namespaces) {
    if (!IsExternal(ns)) continue;
    const char* kind = ns.flag == CLONE_NEWNET ? "net" : "pid";
    auto status = TRY(sys::StatAt(AT_FDCWD, StrCat("/proc/", pid, "/ns/", kind)));
    external.push_back(StrCat(kind, "[", status.st_ino, "]:", ExternalKey(ns.flag)));
  }
  return external;
}

Result<NamespacesToEnter> OpenNamespaces(const oci::Config& config) {
  NamespacesToEnter enter;
  for (const auto& ns : config.linux.namespaces) {
    if (ns.path.empty()) continue;
    if (ns.flag == CLONE_NEWCGROUP) {
      return Fail(ErrorKind::kUnsupported,
                  StrCat("linux.namespaces: criu cannot join a cgroup namespace (", ns.path, ")"));
    }
    Fd fd = TRY_CONTEXT(sys::Open(ns.path, O_RDONLY), "linux.namespaces");
    if (!IsExternal(ns)) {
      enter.joined.push_back({std::string(CriuName(ns.flag)), ns.path});
      continue;
    }
    enter.inherited.push_back({ExternalKey(ns.flag), fd.get()});
    enter.fds.push_back(std::move(fd));
  }
  return enter;
}

Result<std::vector<std::string>> StreamsToLeaveOut(const Record& record, pid_t pid,
                                                   Terminals terminals) {
  auto places = TRY(sys::MountsOf(pid));
  std::vector<std::string> names = record.descriptors;
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i].starts_with("pipe:")) continue;
    auto stream = sys::Open(StrCat("/proc/", pid, "/fd/", i), O_PATH);
    if (!stream) continue;
    auto on = TRY(sys::MountOf(stream->get(), names[i]));
    if (std::ranges::find(places, on.id, &sys::MountPlace::id) != places.end()) continue;
    auto status = TRY(sys::StatAt(stream->get(), "", AT_EMPTY_PATH));
    if (S_ISREG(status.st_mode) || IsDevice(status, kMemoryMajor)) {
      names[i] = ExternalName("file", on.id, status.st_ino);
    } else if (terminals == Terminals::kLeaveOut && IsTerminal(status)) {
      names[i] = ExternalName("tty", status.st_rdev, status.st_dev);
    }
  }
  return names;
}

std::vector<std::string> OwnStreams() {
  std::vector<std::string> names;
  for (int i = 0; i < kStreams; ++i)
    names.push_back(sys::ReadLink(StrCat("/proc/self/fd/", i)).value_or(""));
  return names;
}

}  // namespace kiste::runtime
