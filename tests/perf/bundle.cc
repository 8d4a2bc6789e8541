// SPDX-License-Identifier: Apache-2.0
#include "bundle.h"

#include <filesystem>

#include "seccomp_profile.h"

namespace kiste::perf {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBusybox = "/bin/busybox";

// What `runc spec` writes (runtime-spec 1.0.2), with terminal false and the cgroup namespace.
constexpr const char* kConfig = R"({
"ociVersion":"1.0.2",
"process":{"terminal":false,"user":{"uid":0,"gid":0},"args":["/bin/true"],
 "env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","TERM=xterm"],"cwd":"/",
 "capabilities":{
  "bounding":["CAP_AUDIT_WRITE","CAP_KILL","CAP_NET_BIND_SERVICE"],
  "effective":["CAP_AUDIT_WRITE","CAP_KILL","CAP_NET_BIND_SERVICE"],
  "permitted":["CAP_AUDIT_WRITE","CAP_KILL","CAP_NET_BIND_SERVICE"],
  "ambient":["CAP_AUDIT_WRITE","CAP_KILL","CAP_NET_BIND_SERVICE"]},
 "rlimits":[{"type":"RLIMIT_NOFILE","hard":1024,"soft":1024}],
 "noNewPrivileges":true},
"root":{"path":"rootfs","readonly":true},
"hostname":"runc",
"mounts":[
 {"destination":"/proc","type":"proc","source":"proc"},
 {"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["nosuid","strictatime","mode=755","size=65536k"]},
 {"destination":"/dev/pts","type":"devpts","source":"devpts",
  "options":["nosuid","noexec","newinstance","ptmxmode=0666","mode=0620","gid=5"]},
 {"destination":"/dev/shm","type":"tmpfs","source":"shm",
  "options":["nosuid","noexec","nodev","mode=1777","size=65536k"]},
 {"destination":"/dev/mqueue","type":"mqueue","source":"mqueue","options":["nosuid","noexec","nodev"]},
 {"destination":"/sys","type":"sysfs","source":"sysfs","options":["nosuid","noexec","nodev","ro"]},
 {"destination":"/sys/fs/cgroup","type":"cgroup","source":"cgroup",
  "options":["nosuid","noexec","nodev","relatime","ro"]}],
"linux":{
 "resources":{"devices":[{"allow":false,"access":"rwm"}]},
 "namespaces":[{"type":"pid"},{"type":"network"},{"type":"ipc"},{"type":"uts"},{"type":"mount"},{"type":"cgroup"}],
 "maskedPaths":["/proc/acpi","/proc/asound","/proc/kcore","/proc/keys","/proc/latency_stats","/proc/timer_list",
  "/proc/timer_stats","/proc/sched_debug","/sys/firmware","/proc/scsi"],
 "readonlyPaths":["/proc/bus","/proc/fs","/proc/irq","/proc/sys","/proc/sysrq-trigger"]}})";

std::string NameOf(Payload payload, Filter filter) {
  static constexpr const char* kNames[] = {"true", "sleep", "nothing"};
  return std::string(kNames[static_cast<int>(payload)]) +
         (filter == Filter::kSeccomp ? "-seccomp" : "");
}

// The profile lets a container do what its capabilities allow, so the two must agree.
void GiveDefaultCapabilities(Json& process) {
  const Json set = Json::Strings(DefaultProfileContext().capabilities);
  Json sets = Json::EmptyObject();
  for (const char* name : {"bounding", "effective", "permitted"}) sets.Set(name, set);
  process.Set("capabilities", sets);
}

Result<void> MakeRootfs(const fs::path& rootfs, const std::string& nothing_program) {
  std::error_code error;
  for (const char* name : {"bin", "dev", "proc", "sys", "tmp", "etc"})
    fs::create_directories(rootfs / name, error);
  fs::copy_file(kBusybox, rootfs / "bin/busybox", error);
  if (error)
    return Fail(std::string("copy ") + kBusybox + ": " + error.message() +
                " (Debian: busybox-static)");
  for (const char* name : {"true", "sleep", "sh"}) {
    fs::create_hard_link(rootfs / "bin/busybox", rootfs / "bin" / name, error);
  }
  fs::copy_file(nothing_program, rootfs / "bin/nothing", error);
  if (error) return Fail("copy " + nothing_program + ": " + error.message());
  return {};
}

}  // namespace

Argv PayloadCommand(Payload payload) {
  switch (payload) {
    case Payload::kSleep:
      return {"/bin/sleep", "1000000"};
    case Payload::kNothing:
      return {"/bin/nothing"};
    case Payload::kTrue:
      break;
  }
  return {"/bin/true"};
}

Result<Bundles> Bundles::Make(const std::string& work_directory,
                              const std::string& nothing_program) {
  Bundles bundles;
  bundles.directory_ = work_directory + "/bundles";
  bundles.rootfs_ = work_directory + "/rootfs";
  TRY(MakeRootfs(bundles.rootfs_, nothing_program));
  return bundles;
}

Result<void> Bundles::LoadSeccompProfile(const std::string& path) {
  const std::string text = TRY(ReadFile(path));
  const Json profile = TRY(Json::Parse(text));
  seccomp_ = TRY(TranslateSeccompProfile(profile, DefaultProfileContext()));
  return {};
}

Result<std::string> Bundles::Get(const std::string& cgroup, Payload payload, Filter filter) {
  std::string bundle = directory_ + "/" + cgroup + "-" + NameOf(payload, filter);
  const std::string path = bundle + "/config.json";
  std::error_code error;
  if (fs::exists(path, error)) return bundle;

  Json config = TRY(Json::Parse(kConfig));
  Json* process = config.Find("process");
  process->Set("args", Json::Strings(PayloadCommand(payload)));
  config.Find("root")->Set("path", rootfs_);
  config.Find("linux")->Set("cgroupsPath", "/" + cgroup);
  if (filter == Filter::kSeccomp) {
    if (seccomp_.IsNull()) return Fail("no seccomp profile");
    GiveDefaultCapabilities(*process);
    config.Find("linux")->Set("seccomp", seccomp_);
  }
  fs::create_directories(bundle, error);
  TRY(WriteFile(path, config.Dump()));
  return bundle;
}

}  // namespace kiste::perf
