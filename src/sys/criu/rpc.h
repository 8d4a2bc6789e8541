// SPDX-License-Identifier: Apache-2.0
//
// The messages that CRIU's service understands (criu's images/rpc.proto; https://criu.org/RPC):
// requests with their options, responses, notifications. Used by service.h; who wants something of
// CRIU fills Options in. What is left at its default is not sent, and CRIU's own default holds.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kiste::sys::criu {

enum class RequestType : uint8_t {
  kEmpty = 0,
  kDump = 1,
  kRestore = 2,
  kPreDump = 4,
  kNotify = 6,
  kFeatureCheck = 9,
  kVersion = 10,
};

enum class CgroupMode : uint8_t { kIgnore = 0, kSoft = 3, kFull = 4, kStrict = 5 };
enum class NetworkLock : uint8_t { kIptables = 1, kNftables = 2, kSkip = 3 };

// What a name in the images stands for on this host.
struct Named {
  std::string key, value;
};

struct InheritedFd {
  std::string key;
  int fd = -1;  // in criu's process
};

struct JoinedNamespace {
  std::string kind, path;  // "ipc"
};

struct CgroupRoot {
  std::string controller, path;  // "" is v2
};

struct PageServer {
  std::string address;
  uint16_t port = 0;
};

struct Options {
  // Descriptors of the process that made the socket: criu opens them through its /proc.
  int images_directory = -1;
  int work_directory = -1;
  pid_t pid = 0;  // whom to dump
  std::string log_file;
  int log_level = 4;
  std::string root;
  std::string parent_images;  // relative to the images
  std::string config_file;
  bool leave_running = false, ext_unix_sockets = false, tcp_established = false;
  bool tcp_skip_in_flight = false, tcp_close = false, evasive_devices = false, shell_job = false;
  bool file_locks = false, link_remap = false, track_memory = false, auto_dedup = false;
  bool lazy_pages = false, orphan_pts_master = false, restore_sibling = false;
  bool notify = false;
  std::optional<PageServer> page_server;
  std::vector<Named> external_mounts;
  std::vector<std::string> external;
  std::vector<InheritedFd> inherited;
  std::vector<JoinedNamespace> joined;
  std::vector<CgroupRoot> cgroup_roots;
  std::optional<CgroupMode> manage_cgroups;
  std::string freeze_cgroup;
  uint32_t empty_namespaces = 0;  // CLONE_NEW*
  std::string lsm_profile, lsm_mount_context;
  std::optional<NetworkLock> network_lock;
};

// What the kernel and this criu can do; in a request: what is asked about.
struct Features {
  bool memory_tracking = false, lazy_pages = false;
};

struct Response {
  RequestType type = RequestType::kEmpty;
  bool success = false;
  std::string script;   // of a notification: "post-restore"
  pid_t pid = 0;        // of the restored process: in a notification or an answer
  int errno_value = 0;  // criu's cr_errno
  std::string message;  // criu's first error
  Features features;
  unsigned version = 0;  // major * 10000 + minor * 100 + sublevel
};

std::string EncodeRequest(RequestType type, const Options& options);
std::string EncodeFeatureCheck(const Features& asked);
// The answer to a notification.
std::string EncodeNotified(bool success);
// kInvalid when the bytes are no response.
Result<Response> DecodeResponse(std::string_view bytes);

}  // namespace kiste::sys::criu
