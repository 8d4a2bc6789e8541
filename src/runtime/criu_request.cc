// SPDX-License-Identifier: Apache-2.0
#include "runtime/criu_request.h"

#include <fcntl.h>

#include "base/strings.h"
#include "runtime/plan.h"
#include "sys/cgroup/layout.h"
#include "sys/file.h"

namespace kiste::runtime {

namespace {

constexpr size_t kMaxLog = 64 << 20;
constexpr size_t kMaxComplaints = 3;
constexpr size_t kMaxComplaint = 300;  // bytes of one
// Read by criu when they are there; the second is the one that runc's users have.
constexpr const char* kConfigFiles[] = {"/etc/criu/kiste-oci.conf", "/etc/criu/runc.conf"};

Result<Fd> OpenFolder(const std::string& path, Folders folders, std::string_view option) {
  if (folders == Folders::kMake) TRY_CONTEXT(sys::MakeDirectories(path, 0700), option);
  return TRY_CONTEXT(sys::Open(path, O_RDONLY | O_DIRECTORY), option);
}

// The longest beginning of `path` with which `directory` ends; `path` when none does.
std::string_view Above(std::string_view path, std::string_view directory) {
  for (auto above = path; !above.empty(); above = above.substr(0, above.rfind('/'))) {
    if (directory.ends_with(above)) return above;
  }
  return path;
}

}  // namespace

Result<std::string> FindCriu() {
  Caller caller = CurrentCaller();
  if (caller.uid != 0 || caller.in_user_namespace) {
    return Fail(ErrorKind::kUnsupported,
                StrCat("criu needs root in the host's user namespace, and the caller is ",
                       caller.uid == 0 ? "root in another" : StrCat("user ", caller.uid)));
  }
  return sys::criu::FindProgram();
}

Result<CriuFolders> OpenCriuFolders(const CriuRequest& request, const std::string& log,
                                    Folders images) {
  CriuFolders folders;
  folders.images = TRY(OpenFolder(request.image_path, images, "--image-path"));
  if (!request.work_path.empty())
    folders.work = TRY(OpenFolder(request.work_path, Folders::kMake, "--work-path"));
  folders.log =
      StrCat(request.work_path.empty() ? request.image_path : request.work_path, "/", log);
  return folders;
}

sys::criu::Options CriuOptions(const CriuRequest& request, const CriuFolders& folders,
                               const std::string* config_file) {
  sys::criu::Options options;
  options.images_directory = folders.images.get();
  options.work_directory = folders.work.get();
  options.log_file = folders.log.substr(folders.log.find_last_of('/') + 1);
  if (config_file != nullptr) {
    options.config_file = *config_file;
  } else {
    for (const char* file : kConfigFiles) {
      if (options.config_file.empty() && sys::Exists(AT_FDCWD, file)) options.config_file = file;
    }
  }
  options.tcp_established = request.tcp_established;
  options.ext_unix_sockets = request.ext_unix_sockets;
  options.shell_job = request.shell_job;
  options.file_locks = request.file_locks;
  options.lazy_pages = request.lazy_pages;
  options.auto_dedup = request.auto_dedup;
  options.empty_namespaces = request.empty_namespaces;
  options.manage_cgroups = request.manage_cgroups.value_or(sys::criu::CgroupMode::kSoft);
  options.network_lock = request.network_lock;
  // The other end of a terminal is the engine's: it is left out, and handed over anew.
  options.orphan_pts_master = true;
  options.notify = true;
  return options;
}

std::string CriuComplaints(std::string_view log) {
  std::vector<std::string> complaints;
  auto lines = Split(log, '\n');
  for (auto line = lines.rbegin(); line != lines.rend() && complaints.size() < kMaxComplaints;
       ++line) {
    if (line->find("Error") == std::string_view::npos) continue;
    // "(00.012345)" and "1: ", the time and the process, say nothing here.
    auto text = line->substr(line->find("Error"));
    complaints.insert(complaints.begin(), std::string(Trim(text).substr(0, kMaxComplaint)));
  }
  return Join(complaints, "; ");
}

Result<std::vector<sys::criu::CgroupRoot>> CgroupRoots(
    pid_t pid, const std::map<std::string, std::string>& directories) {
  std::string text = TRY(sys::ReadFileAt(AT_FDCWD, StrCat("/proc/", pid, "/cgroup")));
  return ParseCgroupRoots(text, directories);
}

std::vector<sys::criu::CgroupRoot> ParseCgroupRoots(
    std::string_view text, const std::map<std::string, std::string>& directories) {
  std::vector<sys::criu::CgroupRoot> roots;
  for (auto [names, path] : sys::cgroup::ParseMemberships(text)) {
    auto controllers = Split(names, ',');
    auto directory = directories.find(std::string(controllers.front()));
    if (directory != directories.end()) path = Above(path, directory->second);
    // criu asks for a hierarchy of several by all their names when it dumps, by each when it
    // restores.
    if (controllers.size() > 1) roots.push_back({std::string(names), std::string(path)});
    for (auto controller : controllers)
      roots.push_back({std::string(controller), std::string(path)});
  }
  return roots;
}

Error WithCriuLog(Error error, const CriuFolders& folders, const sys::criu::Service& service) {
  auto log = sys::ReadFileAt(AT_FDCWD, folders.log, kMaxLog);
  std::string complaints = log ? CriuComplaints(*log) : "";
  if (complaints.empty()) complaints = CriuComplaints(service.Output());
  // criu's answer may have brought the first of them already.
  if (!complaints.empty()) {
    size_t said = error.detail.find(": Error ");
    error.detail = StrCat(error.detail.substr(0, said), ": ", complaints);
  }
  if (log) error.detail = StrCat(error.detail, " (all of it in ", folders.log, ")");
  for (char& c : error.detail) {
    if (c == '\n') c = ' ';
  }
  return error;
}

}  // namespace kiste::runtime
