// SPDX-License-Identifier: Apache-2.0
#include "cli/criu_options.h"

#include <sched.h>

#include "base/strings.h"
#include "sys/file.h"

namespace kiste::cli {

namespace {

namespace criu = sys::criu;

template <typename T>
struct Word {
  std::string_view word;
  T value;
};

constexpr Word<criu::CgroupMode> kCgroupModes[] = {{"soft", criu::CgroupMode::kSoft},
                                                   {"full", criu::CgroupMode::kFull},
                                                   {"strict", criu::CgroupMode::kStrict},
                                                   {"ignore", criu::CgroupMode::kIgnore}};
constexpr Word<criu::NetworkLock> kNetworkLocks[] = {{"iptables", criu::NetworkLock::kIptables},
                                                     {"nftables", criu::NetworkLock::kNftables},
                                                     {"skip", criu::NetworkLock::kSkip}};

// The option's word; nothing when it was not given, or is empty.
template <typename T>
Result<std::optional<T>> ReadWord(const Arguments& arguments, std::string_view option,
                                  std::span<const Word<T>> words) {
  std::string given = arguments.Value(option);
  if (given.empty()) return std::optional<T>();
  std::vector<std::string> known;
  for (const auto& word : words) {
    if (word.word == given) return std::optional<T>(word.value);
    known.emplace_back(word.word);
  }
  return Invalid(
      StrCat("--", option, ": expected one of ", Join(known, ", "), ", found ", Quote(given)));
}

// ADDRESS:PORT; an IPv6 address is in brackets.
Result<std::optional<criu::PageServer>> ReadPageServer(const Arguments& arguments) {
  std::string given = arguments.Value("page-server");
  if (given.empty()) return std::optional<criu::PageServer>();
  size_t colon = given.find_last_of(':');
  auto port = colon == std::string::npos ? std::nullopt : ParseUint(given.substr(colon + 1));
  if (colon == 0 || !port || *port == 0 || *port > UINT16_MAX)
    return Invalid(StrCat("--page-server: expected ADDRESS:PORT, found ", Quote(given)));
  std::string address = given.substr(0, colon);
  bool bracketed = address.size() > 2 && address.front() == '[' && address.back() == ']';
  if (bracketed) address = address.substr(1, address.size() - 2);
  return criu::PageServer{std::move(address), static_cast<uint16_t>(*port)};
}

// What is in a network namespace is the engine's to make, as in runc: it is never restored.
Result<uint32_t> ReadEmptyNamespaces(const Arguments& arguments) {
  for (const auto& name : arguments.Values("empty-ns")) {
    if (name != "network")
      return Invalid(StrCat("--empty-ns: expected network, found ", Quote(name)));
  }
  return uint32_t{CLONE_NEWNET};
}

Result<int> ReadStatusFd(const Arguments& arguments) {
  std::string given = arguments.Value("status-fd", "-1");
  auto number = ParseInt(given);
  if (!number || *number < -1 || *number > INT32_MAX)
    return Invalid(StrCat("--status-fd: expected a descriptor, found ", Quote(given)));
  return static_cast<int>(*number);
}

Status CheckLsmProfile(const std::string& profile) {
  if (profile.empty() || profile.starts_with("apparmor:") || profile.starts_with("selinux:"))
    return {};
  return Invalid(
      StrCat("--lsm-profile: expected apparmor:NAME or selinux:LABEL, found ", Quote(profile)));
}

Result<std::string> Absolute(const std::string& path) {
  if (path.empty() || path[0] == '/') return path;
  return StrCat(TRY(sys::CurrentDirectory()), "/", path);
}

void ReadSwitches(const Arguments& arguments, runtime::CriuRequest& request) {
  request.pre_dump = arguments.Switch("pre-dump");
  request.leave_running = arguments.Switch("leave-running");
  request.tcp_established = arguments.Switch("tcp-established");
  request.tcp_skip_in_flight = arguments.Switch("tcp-skip-in-flight");
  request.tcp_close = arguments.Switch("tcp-close");
  request.ext_unix_sockets = arguments.Switch("ext-unix-sk");
  request.shell_job = arguments.Switch("shell-job");
  request.file_locks = arguments.Switch("file-locks");
  request.link_remap = arguments.Switch("link-remap");
  request.lazy_pages = arguments.Switch("lazy-pages");
  request.auto_dedup = arguments.Switch("auto-dedup");
}

}  // namespace

Result<runtime::CriuRequest> ReadCriuRequest(const Session& session) {
  const auto& arguments = session.arguments;
  runtime::CriuRequest request;
  std::string images = arguments.Value("image-path");
  request.image_path = TRY(Absolute(images.empty() ? "checkpoint" : images));
  request.work_path = TRY(Absolute(arguments.Value("work-path")));
  request.parent_path = arguments.Value("parent-path");
  ReadSwitches(arguments, request);
  request.status_fd = TRY(ReadStatusFd(arguments));
  request.page_server = TRY(ReadPageServer(arguments));
  request.manage_cgroups =
      TRY(ReadWord<criu::CgroupMode>(arguments, "manage-cgroups-mode", kCgroupModes));
  request.network_lock = TRY(ReadWord<criu::NetworkLock>(arguments, "network-lock", kNetworkLocks));
  request.empty_namespaces = TRY(ReadEmptyNamespaces(arguments));
  request.lsm_profile = arguments.Value("lsm-profile");
  TRY(CheckLsmProfile(request.lsm_profile));
  request.lsm_mount_context = arguments.Value("lsm-mount-context");
  return request;
}

}  // namespace kiste::cli
