// SPDX-License-Identifier: Apache-2.0
#include "sys/criu/rpc.h"

#include "sys/criu/wire.h"

namespace kiste::sys::criu {

namespace {

// Field numbers of rpc.proto.
namespace request {
enum : uint32_t { kType = 1, kOptions = 2, kNotifySuccess = 3, kFeatures = 5 };
}
namespace response {
enum : uint32_t {
  kType = 1,
  kSuccess = 2,
  kRestore = 4,
  kNotify = 5,
  kErrno = 7,
  kFeatures = 8,
  kMessage = 9,
  kVersion = 10,
};
}
namespace option {
enum : uint32_t {
  kImagesDirFd = 1,
  kPid = 2,
  kLeaveRunning = 3,
  kExtUnixSk = 4,
  kTcpEstablished = 5,
  kEvasiveDevices = 6,
  kShellJob = 7,
  kFileLocks = 8,
  kLogLevel = 9,
  kLogFile = 10,
  kPageServer = 11,
  kNotifyScripts = 12,
  kRoot = 13,
  kParentImg = 14,
  kTrackMem = 15,
  kAutoDedup = 16,
  kWorkDirFd = 17,
  kLinkRemap = 18,
  kExtMnt = 23,
  kManageCgroups = 24,
  kCgRoot = 25,
  kRstSibling = 26,
  kInheritFd = 27,
  kManageCgroupsMode = 34,
  kExternal = 37,
  kEmptyNs = 38,
  kJoinNs = 39,
  kFreezeCgroup = 44,
  kTcpSkipInFlight = 46,
  kLazyPages = 48,
  kOrphanPtsMaster = 50,
  kConfigFile = 51,
  kTcpClose = 52,
  kLsmProfile = 53,
  kLsmMountContext = 63,
  kNetworkLock = 64,
};
}

void Switch(WireWriter& writer, uint32_t field, bool value) {
  if (value) writer.Number(field, 1);
}

void Text(WireWriter& writer, uint32_t field, std::string_view text) {
  if (!text.empty()) writer.Bytes(field, text);
}

// A message of two strings, fields 1 and 2.
void Pair(WireWriter& writer, uint32_t field, std::string_view one, std::string_view two) {
  WireWriter pair;
  pair.Bytes(1, one);
  pair.Bytes(2, two);
  writer.Bytes(field, pair.text());
}

void EncodeSwitches(WireWriter& writer, const Options& options) {
  Switch(writer, option::kLeaveRunning, options.leave_running);
  Switch(writer, option::kExtUnixSk, options.ext_unix_sockets);
  Switch(writer, option::kTcpEstablished, options.tcp_established);
  Switch(writer, option::kTcpSkipInFlight, options.tcp_skip_in_flight);
  Switch(writer, option::kTcpClose, options.tcp_close);
  Switch(writer, option::kEvasiveDevices, options.evasive_devices);
  Switch(writer, option::kShellJob, options.shell_job);
  Switch(writer, option::kFileLocks, options.file_locks);
  Switch(writer, option::kLinkRemap, options.link_remap);
  Switch(writer, option::kTrackMem, options.track_memory);
  Switch(writer, option::kAutoDedup, options.auto_dedup);
  Switch(writer, option::kLazyPages, options.lazy_pages);
  Switch(writer, option::kOrphanPtsMaster, options.orphan_pts_master);
  Switch(writer, option::kRstSibling, options.restore_sibling);
  Switch(writer, option::kNotifyScripts, options.notify);
}

void EncodeLists(WireWriter& writer, const Options& options) {
  for (const auto& mount : options.external_mounts)
    Pair(writer, option::kExtMnt, mount.key, mount.value);
  for (const auto& external : options.external) writer.Bytes(option::kExternal, external);
  for (const auto& joined : options.joined) Pair(writer, option::kJoinNs, joined.kind, joined.path);
  for (const auto& root : options.cgroup_roots)
    Pair(writer, option::kCgRoot, root.controller, root.path);
  for (const auto& inherited : options.inherited) {
    WireWriter entry;
    entry.Bytes(1, inherited.key);
    entry.Signed(2, inherited.fd);
    writer.Bytes(option::kInheritFd, entry.text());
  }
  if (!options.page_server) return;
  WireWriter server;
  server.Bytes(1, options.page_server->address);
  server.Signed(2, options.page_server->port);
  writer.Bytes(option::kPageServer, server.text());
}

std::string EncodeOptions(const Options& options) {
  WireWriter writer;
  writer.Signed(option::kImagesDirFd, options.images_directory);
  if (options.work_directory >= 0) writer.Signed(option::kWorkDirFd, options.work_directory);
  if (options.pid != 0) writer.Signed(option::kPid, options.pid);
  writer.Signed(option::kLogLevel, options.log_level);
  Text(writer, option::kLogFile, options.log_file);
  Text(writer, option::kRoot, options.root);
  Text(writer, option::kParentImg, options.parent_images);
  Text(writer, option::kConfigFile, options.config_file);
  EncodeSwitches(writer, options);
  EncodeLists(writer, options);
  if (options.manage_cgroups) {
    // The older field, without a mode, is what a criu before 1.8 knows; newer ones look at both.
    writer.Number(option::kManageCgroups, 1);
    writer.Number(option::kManageCgroupsMode, static_cast<uint64_t>(*options.manage_cgroups));
  }
  Text(writer, option::kFreezeCgroup, options.freeze_cgroup);
  if (options.empty_namespaces != 0) writer.Number(option::kEmptyNs, options.empty_namespaces);
  Text(writer, option::kLsmProfile, options.lsm_profile);
  Text(writer, option::kLsmMountContext, options.lsm_mount_context);
  if (options.network_lock)
    writer.Number(option::kNetworkLock, static_cast<uint64_t>(*options.network_lock));
  return writer.text();
}

Status DecodeNotification(std::string_view bytes, Response& response) {
  return ForEachField(bytes, [&](const WireField& field) -> Status {
    if (field.number == 1) response.script = field.bytes;
    if (field.number == 2) response.pid = static_cast<pid_t>(field.value);
    return {};
  });
}

Status DecodeRestored(std::string_view bytes, Response& response) {
  return ForEachField(bytes, [&](const WireField& field) -> Status {
    if (field.number == 1) response.pid = static_cast<pid_t>(field.value);
    return {};
  });
}

Status DecodeFeatures(std::string_view bytes, Response& response) {
  return ForEachField(bytes, [&](const WireField& field) -> Status {
    if (field.number == 1) response.features.memory_tracking = field.value != 0;
    if (field.number == 2) response.features.lazy_pages = field.value != 0;
    return {};
  });
}

Status DecodeVersion(std::string_view bytes, Response& response) {
  return ForEachField(bytes, [&](const WireField& field) -> Status {
    constexpr unsigned kMost = 1000;  // of each part
    auto part = static_cast<unsigned>(field.value < kMost ? field.value : kMost);
    if (field.number == 1) response.version += part * 10000;
    if (field.number == 2) response.version += part * 100;
    if (field.number == 4) response.version += part;
    return {};
  });
}

Status DecodeField(const WireField& field, Response& response) {
  switch (field.number) {
    case response::kType:
      response.type = static_cast<RequestType>(field.value);
      return {};
    case response::kSuccess:
      response.success = field.value != 0;
      return {};
    case response::kRestore:
      return DecodeRestored(field.bytes, response);
    case response::kNotify:
      return DecodeNotification(field.bytes, response);
    case response::kErrno:
      response.errno_value = static_cast<int>(field.value);
      return {};
    case response::kFeatures:
      return DecodeFeatures(field.bytes, response);
    case response::kMessage:
      response.message = field.bytes;
      return {};
    case response::kVersion:
      return DecodeVersion(field.bytes, response);
    default:
      return {};
  }
}

}  // namespace

std::string EncodeRequest(RequestType type, const Options& options) {
  WireWriter writer;
  writer.Number(request::kType, static_cast<uint64_t>(type));
  writer.Bytes(request::kOptions, EncodeOptions(options));
  return writer.text();
}

std::string EncodeFeatureCheck(const Features& asked) {
  WireWriter features;
  Switch(features, 1, asked.memory_tracking);
  Switch(features, 2, asked.lazy_pages);
  WireWriter writer;
  writer.Number(request::kType, static_cast<uint64_t>(RequestType::kFeatureCheck));
  writer.Bytes(request::kFeatures, features.text());
  return writer.text();
}

std::string EncodeNotified(bool success) {
  WireWriter writer;
  writer.Number(request::kType, static_cast<uint64_t>(RequestType::kNotify));
  writer.Number(request::kNotifySuccess, success ? 1 : 0);
  return writer.text();
}

Result<Response> DecodeResponse(std::string_view bytes) {
  Response response;
  TRY(ForEachField(bytes, [&](const WireField& field) { return DecodeField(field, response); }));
  return response;
}

}  // namespace kiste::sys::criu
