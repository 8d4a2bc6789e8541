// SPDX-License-Identifier: Apache-2.0
#include "runtime/checkpoint.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "base/json.h"
#include "base/strings.h"
#include "runtime/container.h"
#include "runtime/external.h"
#include "runtime/lifecycle.h"
#include "sys/cgroup/cgroup.h"
#include "sys/file.h"

namespace kiste::runtime {

namespace {

namespace cg = sys::cgroup;
namespace criu = sys::criu;

// A folder of images that is still to be made has no ".." yet.
std::string ParentFolder(const CriuRequest& request) {
  std::string_view images = request.image_path;
  std::string_view parent = request.parent_path;
  if (parent.starts_with("../") && !sys::Exists(AT_FDCWD, request.image_path)) {
    while (images.ends_with('/')) images.remove_suffix(1);
    auto slash = images.rfind('/');
    images = slash == images.npos ? "." : images.substr(0, slash);
    parent.remove_prefix(3);
  }
  return StrCat(images, "/", parent);
}

Status CheckRequest(const CriuRequest& request) {
  if (request.status_fd >= 0) {
    int flags = fcntl(request.status_fd, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
      return Invalid(
          StrCat("--status-fd: expected a descriptor open for writing, found ", request.status_fd));
    }
  }
  if (request.parent_path.empty()) return {};
  if (request.parent_path[0] == '/') {
    return Invalid(StrCat("--parent-path: expected a path relative to --image-path, found ",
                          request.parent_path));
  }
  std::string parent = ParentFolder(request);
  auto status =
      TRY_CONTEXT(sys::StatAt(AT_FDCWD, parent), StrCat("--parent-path ", request.parent_path));
  if (!S_ISDIR(status.st_mode))
    return Invalid(StrCat("--parent-path: expected a directory, found ", parent));
  return {};
}

Status CheckStatus(const Container& container) {
  auto status = TRY(container.Status());
  if (status == ContainerStatus::kRunning || status == ContainerStatus::kPaused) return {};
  return Fail(ErrorKind::kState, StrCat("cannot checkpoint container ", Quote(container.record.id),
                                        ": it is ", StatusName(status)));
}

// Asks whether this kernel and criu can do what an option needs: it would fail later with less to
// say.
Status CheckFeature(const std::string& program, const criu::Features& asked,
                    std::string_view option) {
  auto service = TRY(criu::Service::Open({.program = program}));
  auto nothing = [](const criu::Response&, Fd) -> Status { return {}; };
  auto response = TRY_CONTEXT(service.Ask(criu::EncodeFeatureCheck(asked), nothing), option);
  bool there = (!asked.memory_tracking || response.features.memory_tracking) &&
               (!asked.lazy_pages || response.features.lazy_pages);
  if (there) return {};
  return Fail(ErrorKind::kUnsupported,
              StrCat(option, ": this kernel or this criu does not support it"));
}

Status CheckFeatures(const std::string& program, const CriuRequest& request) {
  if (request.pre_dump) TRY(CheckFeature(program, {.memory_tracking = true}, "--pre-dump"));
  if (!request.parent_path.empty())
    TRY(CheckFeature(program, {.memory_tracking = true}, "--parent-path"));
  if (request.lazy_pages) return CheckFeature(program, {.lazy_pages = true}, "--lazy-pages");
  return {};
}

std::string DescriptorsJson(const std::vector<std::string>& names) {
  json::Buffer buffer;
  json::CompactWriter writer(buffer);
  writer.StartArray();
  for (const auto& name : names) json::Text(writer, name);
  writer.EndArray();
  return {buffer.GetString(), buffer.GetSize()};
}

Status LeaveOut(const Container& container, const oci::Config& config, const CriuFolders& folders,
                criu::Options& options) {
  const auto& record = container.record;
  auto layout = TRY(cg::Detect());
  auto cgroup = TRY(cg::Cgroup::Open(record.cgroups));
  Caller caller = CurrentCaller();
  auto mounts = TRY(ExternalMounts({.config = config,
                                    .bundle = record.bundle,
                                    .rootfs = record.rootfs,
                                    .layout = layout,
                                    .cgroup = record.cgroups.empty() ? nullptr : &cgroup,
                                    .caller = caller}));
  options.external_mounts = TRY(MountsToLeaveOut(mounts, config, record.pid));
  options.external = TRY(NamespacesToLeaveOut(config, record.pid));
  auto terminals = options.shell_job ? Terminals::kLeaveOut : Terminals::kKeep;
  auto streams = TRY(StreamsToLeaveOut(record, record.pid, terminals));
  for (const auto& stream : streams) {
    if (stream.starts_with("file[") || stream.starts_with("tty["))
      options.external.push_back(stream);
  }
  return sys::ReplaceFileAt(folders.images.get(), kDescriptorsFile, DescriptorsJson(streams), 0600);
}

// At a restore some images are read by the processes that are restored, with the ids that they
// have, so a new folder lets the group of a user namespace's root search it. Nobody else: the
// images hold the container's memory, and criu makes them readable.
Status LetIn(const CriuFolders& folders, const CriuRequest& request, const oci::Config& config) {
  if (config.linux.Find(CLONE_NEWUSER) == nullptr) return {};
  auto group = oci::HostId(config.linux.gid_mappings, 0);
  if (!group) return {};
  return sys::GiveToGroup(folders.images.get(), *group, 0710, request.image_path);
}

Result<criu::Options> DumpOptions(const Container& container, const CriuRequest& request,
                                  const CriuFolders& folders, const oci::Config& config) {
  auto annotation = config.annotations.find("org.criu.config");
  const auto* config_file = annotation == config.annotations.end() ? nullptr : &annotation->second;
  auto options = CriuOptions(request, folders, config_file);
  options.pid = container.record.pid;
  options.root = container.record.rootfs;
  options.leave_running = request.leave_running;
  options.tcp_skip_in_flight = request.tcp_skip_in_flight;
  options.link_remap = request.link_remap;
  options.page_server = request.page_server;
  options.parent_images = request.parent_path;
  options.track_memory = request.pre_dump || !request.parent_path.empty();
  auto cgroup = TRY(cg::Cgroup::Open(container.record.cgroups));
  // Stopped through its cgroup, a process cannot fork away from the dump.
  const auto* freezer = cgroup.Path("freezer");
  if (freezer == nullptr) freezer = cgroup.Path("");
  if (freezer != nullptr) options.freeze_cgroup = *freezer;
  if (!container.record.cgroups.empty()) {
    options.cgroup_roots = TRY(CgroupRoots(container.record.pid, container.record.cgroups));
  } else if (!request.manage_cgroups) {
    options.manage_cgroups = criu::CgroupMode::kIgnore;
  }
  if (!request.pre_dump) TRY(LeaveOut(container, config, folders, options));
  return options;
}

// "status-ready" is the only word of criu's that somebody waits for.
Status Hear(const CriuRequest& request, const criu::Response& notification) {
  if (notification.script != "status-ready" || request.status_fd < 0) return {};
  auto told = sys::WriteAll(request.status_fd, std::string_view("\0", 1), "--status-fd");
  close(request.status_fd);
  return told;
}

Status Dump(const Container& container, const CriuRequest& request, const std::string& program) {
  auto config = TRY(container.folder.LoadConfig());
  bool is_new = !sys::Exists(AT_FDCWD, request.image_path);
  auto folders = TRY(OpenCriuFolders(request, "dump.log", Folders::kMake));
  if (is_new) TRY(LetIn(folders, request, config));
  auto options = TRY(DumpOptions(container, request, folders, config));
  auto type = request.pre_dump ? criu::RequestType::kPreDump : criu::RequestType::kDump;
  auto service = TRY(criu::Service::Open({.program = program}));
  auto response = service.Ask(
      criu::EncodeRequest(type, options),
      [&](const criu::Response& notification, const Fd&) { return Hear(request, notification); });
  auto closed = service.Close();
  if (!response) return std::unexpected(WithCriuLog(std::move(response).error(), folders, service));
  return closed;
}

}  // namespace

Status Checkpoint(const Store& store, const std::string& id, const CriuRequest& request,
                  const Warn& warn) {
  auto container = TRY_STEP(LockContainer(store, id), "state");
  TRY(CheckStatus(container));
  TRY(CheckRequest(request));
  auto program = TRY(FindCriu());
  TRY_STEP(CheckFeatures(program, request), "criu");
  TRY_STEP(Dump(container, request, program), "criu");
  if (request.leave_running || request.pre_dump) return {};
  return DeleteLocked(store, container, Force::kYes, warn);
}

}  // namespace kiste::runtime
