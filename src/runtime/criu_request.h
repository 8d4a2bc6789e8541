// SPDX-License-Identifier: Apache-2.0
//
// What `checkpoint` and `restore` are asked for, and what they do alike: the folders, the options
// that both hand on, criu's log in an error. CRIU does the work (sys/criu); what the container has
// that is not its own is in external.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "sys/criu/rpc.h"
#include "sys/criu/service.h"

namespace kiste::runtime {

struct CriuRequest {
  std::string image_path;
  std::string work_path;    // "": the images'
  std::string parent_path;  // of a dump before this one, relative to image_path
  bool pre_dump = false, leave_running = false;
  bool tcp_established = false, tcp_skip_in_flight = false, tcp_close = false;
  bool ext_unix_sockets = false, shell_job = false, file_locks = false, link_remap = false;
  bool lazy_pages = false, auto_dedup = false;
  int status_fd = -1;  // is told when the pages can be asked for
  std::optional<sys::criu::PageServer> page_server;
  std::optional<sys::criu::CgroupMode> manage_cgroups;
  std::optional<sys::criu::NetworkLock> network_lock;
  uint32_t empty_namespaces = 0;  // CLONE_NEW*
  std::string lsm_profile;        // "apparmor:NAME", "selinux:LABEL"
  std::string lsm_mount_context;
};

// criu, from $PATH. Only real root gets it: for others criu fails in the middle, and not clearly.
Result<std::string> FindCriu();

struct CriuFolders {
  Fd images, work;  // `work` is invalid when it is the same
  std::string log;  // the path of criu's log
};

enum class Folders { kMake, kMustBeThere };
// Opens the two; a work folder is made when missing. `log` is criu's log in there.
Result<CriuFolders> OpenCriuFolders(const CriuRequest& request, const std::string& log,
                                    Folders images);

// What both directions tell criu. `config_file`: the annotation org.criu.config, if there is one.
sys::criu::Options CriuOptions(const CriuRequest& request, const CriuFolders& folders,
                               const std::string* config_file);

// The container's cgroup in each hierarchy, in which a dump and a restore have their roots: so a
// process further below, the first one too, comes back there, wherever the container's is by then.
// `pid` is in the container's cgroups or below, whose directories by controller `directories` are.
Result<std::vector<sys::criu::CgroupRoot>> CgroupRoots(
    pid_t pid, const std::map<std::string, std::string>& directories);
// The pure part: `text` is /proc/PID/cgroup (cgroups(7)). A hierarchy without a directory keeps
// what it says.
std::vector<sys::criu::CgroupRoot> ParseCgroupRoots(
    std::string_view text, const std::map<std::string, std::string>& directories);

// An error of criu's with the lines of its log, or else of its output, that say why.
Error WithCriuLog(Error error, const CriuFolders& folders, const sys::criu::Service& service);
// The pure part: the last lines of `log` with the word Error in them, in one line.
std::string CriuComplaints(std::string_view log);

}  // namespace kiste::runtime
