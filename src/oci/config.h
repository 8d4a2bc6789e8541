// SPDX-License-Identifier: Apache-2.0
//
// The OCI runtime configuration (config.json, runtime-spec 1.3, config.md and config-linux.md) as
// values: what a bundle says, in the specification's words, checked for type and form but not
// against this host. An optional number that is absent is nullopt, never 0: the two differ.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kiste::oci {

struct User {  // config.md, "User"
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::optional<uint32_t> umask;
  std::vector<uint32_t> additional_gids;
};

// Bit n stands for capability number n (capability.h). nullopt: the set is absent.
struct Capabilities {
  std::optional<uint64_t> bounding, effective, inheritable, permitted, ambient;
};

struct Rlimit {
  int resource = 0;  // RLIMIT_*
  uint64_t soft = 0, hard = 0;
};

struct ConsoleSize {
  uint16_t rows = 0, columns = 0;
};

struct Scheduler {  // config.md, "Scheduler"; values as sched_setattr(2) wants them
  uint32_t policy = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t flags = 0;
  uint64_t runtime = 0, deadline = 0, period = 0;  // ns
};

struct IoPriority {
  int io_class = 0;  // IOPRIO_CLASS_*
  int priority = 0;
};

struct ExecCpuAffinity {
  std::string initial, final;  // cpu lists
};

struct Process {
  bool terminal = false;
  std::optional<ConsoleSize> console_size;
  User user;
  std::vector<std::string> args;
  std::vector<std::string> env;  // NAME=value each
  std::string cwd;               // absolute
  std::optional<Capabilities> capabilities;
  std::vector<std::string> ignored_capabilities;  // names nobody knows, sorted: to be warned about
  std::vector<Rlimit> rlimits;
  bool no_new_privileges = false;
  std::optional<int> oom_score_adj;
  std::string apparmor_profile;
  std::string selinux_label;
  std::optional<Scheduler> scheduler;
  std::optional<IoPriority> io_priority;
  std::optional<ExecCpuAffinity> exec_cpu_affinity;
};

struct IdMapping {
  uint32_t container_id = 0, host_id = 0, size = 0;
};
// Which id of the host `id` is; none if it is not mapped.
inline std::optional<uint32_t> HostId(const std::vector<IdMapping>& mappings, uint32_t id) {
  for (const auto& [container_id, host_id, size] : mappings) {
    if (id >= container_id && id - container_id < size) return host_id + (id - container_id);
  }
  return std::nullopt;
}

// A mount with its options resolved (mount_options.h): which bits to set, which to leave alone.
struct Mount {
  std::string destination;  // absolute; a relative one of old bundles is taken from "/"
  std::string type;         // file system type; "bind" for binds
  std::string source;       // for binds: absolute, or relative to the bundle
  bool bind = false;        // bind or rbind, or type "bind"
  bool recursive_bind = false;
  bool remount = false;
  uint64_t attr_set = 0, attr_clear = 0;          // MOUNT_ATTR_*, this mount (mount_setattr(2))
  uint64_t rec_attr_set = 0, rec_attr_clear = 0;  // the r* options: recursively
  uint32_t super_flags =
      0;  // MS_SYNCHRONOUS, MS_DIRSYNC, MS_MANDLOCK, MS_LAZYTIME, MS_SILENT, MS_I_VERSION
  uint32_t super_flags_clear = 0;
  std::vector<uint32_t> propagation;  // MS_SHARED… each with MS_REC or not, in the given order
  std::string data;  // what is left, comma separated: the file system's own. For a bind: to be
                     // ignored, as the kernel does (engines leave words like "nocopy" there)
  bool tmpcopyup = false;
  bool idmap = false, idmap_recursive = false;  // "idmap", "ridmap"
  // crun's options of binds: a link at the source is copied; it is bound itself; the mount lies on
  // a link at the destination.
  bool copy_symlink = false, source_nofollow = false, destination_nofollow = false;
  std::vector<IdMapping> uid_mappings, gid_mappings;
};

struct Hook {
  std::string path;  // absolute
  std::vector<std::string> args;
  std::optional<std::vector<std::string>> env;  // nullopt: not said, which is not "none"
  std::optional<int> timeout;                   // s, > 0
};

struct Hooks {
  std::vector<Hook> prestart, create_runtime, create_container, start_container, poststart,
      poststop;
};

struct Namespace {
  int flag = 0;      // CLONE_NEW*
  std::string path;  // "" makes a new one
};

struct TimeOffset {
  int64_t secs = 0;
  uint32_t nanosecs = 0;
};

struct Device {  // config-linux.md, "Devices"
  std::string path;
  char type = 'c';  // c, b, p ("u" is read as c)
  int64_t major = 0, minor = 0;
  std::optional<uint32_t> file_mode, uid, gid;
};

struct DeviceRule {  // resources.devices; -1 is the wildcard
  bool allow = false;
  char type = 'a';  // a, b, c
  int64_t major = -1, minor = -1;
  std::string access = "rwm";
  bool operator==(const DeviceRule&) const = default;
};

struct Memory {
  std::optional<int64_t> limit, reservation, swap, kernel, kernel_tcp;  // bytes; -1 unlimited
  std::optional<uint64_t> swappiness;
  std::optional<bool> disable_oom_killer, use_hierarchy, check_before_update;
};

struct Cpu {
  std::optional<uint64_t> shares, burst, period, realtime_period;  // µs but for shares
  std::optional<int64_t> quota, realtime_runtime, idle;
  std::string cpus, mems;
};

struct WeightDevice {
  int64_t major = 0, minor = 0;
  std::optional<uint16_t> weight, leaf_weight;
};

struct ThrottleDevice {
  int64_t major = 0, minor = 0;
  uint64_t rate = 0;  // bytes or operations per second
};

struct BlockIo {
  std::optional<uint16_t> weight, leaf_weight;
  std::vector<WeightDevice> weight_device;
  std::vector<ThrottleDevice> throttle_read_bps, throttle_write_bps, throttle_read_iops,
      throttle_write_iops;
};

struct HugepageLimit {
  std::string page_size;  // "2MB"
  uint64_t limit = 0;     // bytes
};

struct NetworkPriority {
  std::string name;
  uint32_t priority = 0;
};

struct Network {
  std::optional<uint32_t> class_id;
  std::vector<NetworkPriority> priorities;
};

struct Rdma {
  std::optional<uint32_t> hca_handles, hca_objects;
};

struct Resources {  // config-linux.md, "Control groups"
  std::vector<DeviceRule> devices;
  std::optional<Memory> memory;
  std::optional<Cpu> cpu;
  std::optional<int64_t> pids_limit;
  std::optional<BlockIo> block_io;
  std::vector<HugepageLimit> hugepage_limits;
  std::optional<Network> network;
  std::map<std::string, Rdma> rdma;
  std::map<std::string, std::string> unified;
};

struct SeccompArg {
  uint32_t index = 0;
  uint64_t value = 0, value_two = 0;
  std::string op;  // SCMP_CMP_*
};

struct SeccompSyscall {
  std::vector<std::string> names;
  std::string action;  // SCMP_ACT_*
  std::optional<uint32_t> errno_ret;
  std::vector<SeccompArg> args;
};

struct Seccomp {
  std::string default_action;
  std::optional<uint32_t> default_errno_ret;
  std::vector<std::string> architectures;  // SCMP_ARCH_*
  std::vector<std::string> flags;          // SECCOMP_FILTER_FLAG_*
  bool flags_given = false;  // even if empty; absent flags leave the choice to the runtime
  std::string listener_path, listener_metadata;
  std::vector<SeccompSyscall> syscalls;
};

struct IntelRdt {
  std::string clos_id, l3_cache_schema, mem_bw_schema;
  std::vector<std::string> schemata;
  bool enable_monitoring = false;
};

struct MemoryPolicy {
  std::string mode, nodes;
  std::vector<std::string> flags;
};

struct Personality {
  std::string domain;  // LINUX or LINUX32
};

struct Linux {
  std::vector<Namespace> namespaces;
  std::vector<IdMapping> uid_mappings, gid_mappings;
  std::map<std::string, TimeOffset> time_offsets;  // monotonic, boottime
  std::vector<Device> devices;
  std::string cgroups_path;
  Resources resources;
  std::map<std::string, std::string> sysctl;
  std::optional<Seccomp> seccomp;
  std::string rootfs_propagation;             // "", shared, slave, private, unbindable
  bool rootfs_propagation_recursive = false;  // it was written rshared, rslave …
  std::vector<std::string> masked_paths, readonly_paths;
  std::string mount_label;
  std::optional<IntelRdt> intel_rdt;
  std::optional<Personality> personality;
  std::optional<MemoryPolicy> memory_policy;
  std::map<std::string, std::string> net_devices;  // host name → name inside ("" keeps it)

  // The namespace of this kind, or nullptr when the host's is shared.
  const Namespace* Find(int flag) const {
    for (const auto& ns : namespaces) {
      if (ns.flag == flag) return &ns;
    }
    return nullptr;
  }
};

// The value "1" leaves the first process, and every `exec`, the groups of who calls the runtime.
inline constexpr char kKeepGroupsAnnotation[] = "run.oci.keep_original_groups";

struct Config {
  std::string oci_version;
  std::optional<Process> process;
  std::string root_path;  // as written: absolute, or relative to the bundle
  bool root_readonly = false;
  std::string hostname, domainname;
  std::vector<Mount> mounts;
  Hooks hooks;
  Linux linux;
  std::map<std::string, std::string> annotations;
};

}  // namespace kiste::oci
