// SPDX-License-Identifier: Apache-2.0
#include "bench/target/bundle.h"

#include "base/json.h"
#include "base/strings.h"

namespace kiste::bench {

namespace {

using Writer = json::CompactWriter;

constexpr const char* kCapabilities[] = {
    "CAP_CHOWN",  "CAP_DAC_OVERRIDE", "CAP_FOWNER",  "CAP_FSETID",           "CAP_KILL",
    "CAP_SETGID", "CAP_SETUID",       "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT",
    "CAP_SETFCAP"};

void Strings(Writer& writer, std::string_view name, const Words& texts) {
  json::Key(writer, name);
  writer.StartArray();
  for (const auto& text : texts) json::Text(writer, text);
  writer.EndArray();
}

void Mount(Writer& writer, const char* destination, const char* type, std::string_view source,
           const Words& options) {
  writer.StartObject();
  json::Member(writer, "destination", destination);
  json::Member(writer, "type", type);
  json::Member(writer, "source", source);
  Strings(writer, "options", options);
  writer.EndObject();
}

void Process(Writer& writer, const BundleRequest& request) {
  json::Key(writer, "process");
  writer.StartObject();
  json::Member(writer, "terminal", false);
  json::Member(writer, "cwd", "/");
  json::Member(writer, "noNewPrivileges", true);
  json::Key(writer, "user");
  writer.StartObject();
  json::Member(writer, "uid", 0);
  json::Member(writer, "gid", 0);
  writer.EndObject();
  Strings(writer, "args", request.command);
  Strings(writer, "env", {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/"});
  json::Key(writer, "capabilities");
  writer.StartObject();
  for (const char* set : {"bounding", "effective", "permitted"})
    Strings(writer, set, Words(std::begin(kCapabilities), std::end(kCapabilities)));
  writer.EndObject();
  writer.EndObject();
}

void Mounts(Writer& writer, const BundleRequest& request) {
  json::Key(writer, "mounts");
  writer.StartArray();
  Mount(writer, "/proc", "proc", "proc", {"nosuid", "noexec", "nodev"});
  Mount(writer, "/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"});
  Mount(writer, "/dev/pts", "devpts", "devpts",
        {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"});
  Mount(writer, "/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777"});
  Mount(writer, "/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"});
  Mount(writer, "/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"});
  Mount(writer, "/tmp", "tmpfs", "tmpfs", {"nosuid", "nodev", "mode=1777"});
  if (!request.data.empty()) Mount(writer, "/data", "bind", request.data, {"rbind", "rw"});
  writer.EndArray();
}

void Namespaces(Writer& writer, const BundleRequest& request) {
  json::Key(writer, "namespaces");
  writer.StartArray();
  for (const char* type : {"pid", "ipc", "uts", "mount", "cgroup", "network"}) {
    writer.StartObject();
    json::Member(writer, "type", type);
    if (std::string_view(type) == "network" && !request.network.empty())
      json::Member(writer, "path", request.network);
    writer.EndObject();
  }
  writer.EndArray();
}

void Resources(Writer& writer, const Limits& limits) {
  json::Key(writer, "resources");
  writer.StartObject();
  if (limits.memory) {
    json::Key(writer, "memory");
    writer.StartObject();
    json::Member(writer, "limit", *limits.memory);
    writer.EndObject();
  }
  if (limits.cpus || limits.processor) {
    json::Key(writer, "cpu");
    writer.StartObject();
    if (limits.cpus) {
      json::Member(writer, "quota", static_cast<int64_t>(*limits.cpus * 100000));
      json::Member(writer, "period", 100000);
    }
    if (limits.processor) json::Member(writer, "cpus", StrCat(*limits.processor));
    writer.EndObject();
  }
  if (limits.pids) {
    json::Key(writer, "pids");
    writer.StartObject();
    json::Member(writer, "limit", *limits.pids);
    writer.EndObject();
  }
  writer.EndObject();
}

void Linux(Writer& writer, const BundleRequest& request) {
  json::Key(writer, "linux");
  writer.StartObject();
  json::Member(writer, "cgroupsPath", request.cgroup);
  Namespaces(writer, request);
  Resources(writer, request.limits);
  Strings(writer, "maskedPaths",
          {"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
           "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware",
           "/proc/scsi"});
  Strings(writer, "readonlyPaths",
          {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"});
  if (!request.seccomp.empty()) {
    json::Key(writer, "seccomp");
    writer.RawValue(request.seccomp.data(), request.seccomp.size(), rapidjson::kObjectType);
  }
  writer.EndObject();
}

}  // namespace

std::string ConfigJson(const BundleRequest& request) {
  json::Buffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  json::Member(writer, "ociVersion", "1.0.2");
  json::Member(writer, "hostname", "bench");
  Process(writer, request);
  json::Key(writer, "root");
  writer.StartObject();
  json::Member(writer, "path", request.rootfs);
  json::Member(writer, "readonly", false);
  writer.EndObject();
  Mounts(writer, request);
  Linux(writer, request);
  writer.EndObject();
  return buffer.GetString();
}

}  // namespace kiste::bench
