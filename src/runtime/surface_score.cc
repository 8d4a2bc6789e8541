// SPDX-License-Identifier: Apache-2.0
//
// The groups and their rules; docs/surface.md says the same in words.
#include <linux/capability.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/strings.h"
#include "oci/capability_names.h"
#include "oci/namespace_names.h"
#include "runtime/plan.h"
#include "runtime/surface.h"
#include "sys/file.h"
#include "sys/seccomp/reach.h"
#include "sys/seccomp/seccomp.h"

namespace kiste::runtime {

namespace {

// Half of a weight where something is open in part: so all is counted twice.
constexpr int kHalves = 2;
constexpr int kMost = 100;

struct Tally {
  SurfaceGroup group;
  int64_t open = 0;  // in halves

  void Add(std::string name, int weight, Openness openness) {
    group.items.push_back({std::move(name), openness});
    open += int64_t{weight} * (openness == Openness::kOpen ? kHalves : 1);
  }
  // The score as a share of `whole`, rounded up: only what opens nothing has 0.
  SurfaceGroup Share(int64_t whole) && {
    int64_t all = whole * kHalves;
    group.score = static_cast<int>(std::min<int64_t>(kMost, (open * kMost + all - 1) / all));
    return std::move(group);
  }
  // The sum of the weights, at most 100.
  SurfaceGroup Sum() && { return std::move(*this).Share(kMost); }
};

// Calls that reach far into the kernel, or through which it has often been broken: five each.
constexpr std::array<std::string_view, 38> kFarReaching = {"add_key",
                                                           "bpf",
                                                           "clone3",
                                                           "delete_module",
                                                           "finit_module",
                                                           "fsconfig",
                                                           "fsmount",
                                                           "fsopen",
                                                           "fspick",
                                                           "init_module",
                                                           "io_uring_enter",
                                                           "io_uring_register",
                                                           "io_uring_setup",
                                                           "ioperm",
                                                           "iopl",
                                                           "kcmp",
                                                           "kexec_file_load",
                                                           "kexec_load",
                                                           "keyctl",
                                                           "modify_ldt",
                                                           "mount",
                                                           "mount_setattr",
                                                           "move_mount",
                                                           "name_to_handle_at",
                                                           "open_by_handle_at",
                                                           "open_tree",
                                                           "perf_event_open",
                                                           "pidfd_getfd",
                                                           "pivot_root",
                                                           "process_vm_readv",
                                                           "process_vm_writev",
                                                           "ptrace",
                                                           "request_key",
                                                           "setns",
                                                           "umount2",
                                                           "unshare",
                                                           "userfaultfd",
                                                           "vmsplice"};

int CallWeight(std::string_view name) {
  return std::ranges::find(kFarReaching, name) == kFarReaching.end() ? 1 : 5;
}

// The native architecture makes four fifths, the others together one.
Result<SurfaceGroup> Syscalls(const SurfaceFacts& facts) {
  std::vector<sock_filter> filter;
  if (facts.filtered && facts.seccomp) {
    filter =
        TRY_CONTEXT(sys::CompileSeccomp(SeccompProfileOf(*facts.seccomp)), "linux.seccomp").filter;
  }
  auto reach = sys::FilterReach(filter);
  SurfaceGroup group{.name = "syscalls"};
  int64_t share = 0;  // per mille, all together
  for (const auto& machine : reach) {
    Tally tally;
    int64_t whole = 0;
    for (const auto& call : machine.calls) {
      whole += CallWeight(call.name);
      if (call.reach == sys::Reach::kNo) continue;
      auto openness = call.reach == sys::Reach::kYes ? Openness::kOpen : Openness::kPartly;
      tally.Add(StrCat(machine.architecture, ":", call.name), CallWeight(call.name), openness);
    }
    int64_t part = machine.native ? 800 : 200 / static_cast<int64_t>(reach.size() - 1);
    share += tally.open * part / (whole * kHalves);
    std::ranges::move(tally.group.items, std::back_inserter(group.items));
  }
  group.score = static_cast<int>(group.items.empty() ? 0 : std::max<int64_t>(1, (share + 5) / 10));
  return group;
}

// What makes its holder the host's root counts ten; what changes others' files, ids or network,
// three.
int CapabilityWeight(int number) {
  switch (number) {
    case CAP_SYS_ADMIN:
    case CAP_SYS_MODULE:
    case CAP_SYS_RAWIO:
    case CAP_SYS_PTRACE:
    case CAP_SYS_BOOT:
    case CAP_DAC_READ_SEARCH:
    case CAP_BPF:
    case CAP_PERFMON:
    case CAP_CHECKPOINT_RESTORE:
    case CAP_MAC_ADMIN:
    case CAP_MAC_OVERRIDE:
      return 10;
    case CAP_NET_ADMIN:
    case CAP_NET_RAW:
    case CAP_DAC_OVERRIDE:
    case CAP_SETUID:
    case CAP_SETGID:
    case CAP_SETFCAP:
    case CAP_SYS_CHROOT:
    case CAP_SYS_TIME:
    case CAP_SYS_RESOURCE:
    case CAP_SYSLOG:
    case CAP_MKNOD:
    case CAP_LINUX_IMMUTABLE:
    case CAP_IPC_OWNER:
      return 3;
    default:
      return 1;
  }
}

// In a user namespace of its own they are for what that namespace owns: in part.
SurfaceGroup CapabilityGroup(const SurfaceFacts& facts) {
  Tally tally{.group = {.name = "capabilities"}};
  bool own = (facts.shared_namespaces & CLONE_NEWUSER) == 0;
  int64_t whole = 0;
  for (int number = 0; number < oci::kCapabilityCount; ++number) {
    whole += CapabilityWeight(number);
    if ((facts.capabilities >> number & 1) == 0) continue;
    tally.Add(std::string(oci::CapabilityName(number)), CapabilityWeight(number),
              own ? Openness::kPartly : Openness::kOpen);
  }
  return std::move(tally).Share(whole);
}

int NamespaceWeight(int flag) {
  switch (flag) {
    case CLONE_NEWUSER:
    case CLONE_NEWPID:
    case CLONE_NEWNET:
    case CLONE_NEWNS:
      return 20;
    case CLONE_NEWIPC:
      return 10;
    case CLONE_NEWTIME:
      return 1;
    case CLONE_NEWUTS:
      return 5;
    default:
      return 4;  // cgroup
  }
}

SurfaceGroup Namespaces(const SurfaceFacts& facts) {
  Tally tally{.group = {.name = "namespaces"}};
  for (const auto& ns : oci::kNamespaceNames) {
    if ((facts.shared_namespaces & ns.number) == 0) continue;
    tally.Add(std::string(ns.name), NamespaceWeight(ns.number), Openness::kOpen);
  }
  return std::move(tally).Sum();
}

bool IsBelow(std::string_view path, std::string_view directory) {
  if (directory == "/") return path.starts_with('/');
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

// What lies at `path` once all mounts are there.
struct Cover {
  std::string type;  // "" when nothing is mounted there; "mask" for something empty
  bool readonly = false;
};

std::string_view HostType(std::string_view path) {
  if (IsBelow(path, "/sys/fs/cgroup")) return "cgroup";
  if (IsBelow(path, "/sys")) return "sysfs";
  if (IsBelow(path, "/proc")) return "proc";
  if (IsBelow(path, "/dev")) return "devtmpfs";
  return "bind";
}

Cover CoverOf(const SurfaceFacts& facts, std::string_view path) {
  Cover cover;
  for (const auto& mount : facts.mounts) {
    if (!IsBelow(path, mount.destination)) continue;
    if (mount.kind == SurfaceMount::Kind::kReadonly) {
      cover.readonly = true;
    } else if (mount.kind == SurfaceMount::Kind::kMask) {
      cover = {"mask", true};
    } else if (mount.type == "bind") {
      auto rest = mount.destination == "/" ? path : path.substr(mount.destination.size());
      std::string at = StrCat(mount.source == "/" ? "" : mount.source, rest);
      cover = {std::string(HostType(at)), mount.readonly};
    } else {
      cover = {mount.type == "cgroup2" ? "cgroup" : mount.type, mount.readonly};
    }
  }
  return cover;
}

struct Interface {
  std::string_view type;  // the file system it belongs to
  std::string_view path;  // below that one's mount
  int weight;
  bool reading;  // already reading it tells too much
};

constexpr Interface kInterfaces[] = {
    {"proc", "/sys", 25, false},
    {"proc", "/sysrq-trigger", 20, false},
    {"proc", "/kcore", 15, true},
    {"proc", "/irq", 5, false},
    {"proc", "/bus", 5, false},
    {"proc", "/fs", 5, false},
    {"proc", "/acpi", 5, true},
    {"proc", "/scsi", 5, true},
    {"proc", "/keys", 2, true},
    {"proc", "/timer_list", 2, true},
    {"proc", "/sched_debug", 2, true},
    {"proc", "/latency_stats", 2, true},
    {"sysfs", "", 20, false},
    {"sysfs", "/firmware", 3, true},
    {"cgroup", "", 10, false},
    {"debugfs", "", 25, false},
    {"tracefs", "", 20, false},
    {"securityfs", "", 15, false},
    {"bpf", "", 15, false},
    {"efivarfs", "", 20, false},
    {"configfs", "", 10, false},
    {"binfmt_misc", "", 20, false},
};

// A configuration is judged without this kernel; of a process only what its procfs and sysfs have,
// which is what ours have.
bool KernelHas(const SurfaceFacts& facts, const Interface& known) {
  if (facts.pid == 0 || known.path.empty()) return true;
  return sys::Exists(AT_FDCWD, StrCat(known.type == "proc" ? "/proc" : "/sys", known.path));
}

// Where file systems of the kernel's are: mounted, or under a bind of the host's.
std::vector<std::pair<std::string, std::string_view>> KernelMounts(const SurfaceFacts& facts) {
  std::vector<std::pair<std::string, std::string_view>> places;
  for (const auto& mount : facts.mounts) {
    if (mount.kind != SurfaceMount::Kind::kMount) continue;
    if (mount.part && (mount.type == "proc" || mount.type == "sysfs")) continue;
    if (mount.type != "bind") {
      std::string_view type = mount.type;
      places.emplace_back(mount.destination, type == "cgroup2" ? "cgroup" : type);
      continue;
    }
    for (std::string_view top : {"/proc", "/sys", "/sys/fs/cgroup"}) {
      if (!IsBelow(top, mount.source)) continue;
      auto rest = mount.source == "/" ? top : top.substr(mount.source.size());
      places.emplace_back(StrCat(mount.destination == "/" ? "" : mount.destination, rest),
                          HostType(top));
    }
  }
  return places;
}

// Open to the host's root; in part to others, whom the files' owners and modes still stop.
SurfaceGroup Interfaces(const SurfaceFacts& facts) {
  Tally tally{.group = {.name = "kernel-interfaces"}};
  bool root = !facts.root_is_unprivileged && (facts.uid == 0 || !facts.no_new_privileges);
  std::map<std::string, int> found;
  for (const auto& [place, type] : KernelMounts(facts)) {
    for (const auto& known : kInterfaces) {
      if (known.type != type || !KernelHas(facts, known)) continue;
      std::string path = StrCat(place, known.path);
      Cover cover = CoverOf(facts, path);
      if (cover.type == type && (known.reading || !cover.readonly)) found[path] = known.weight;
    }
  }
  for (const auto& [path, weight] : found)
    tally.Add(path, weight, root ? Openness::kOpen : Openness::kPartly);
  return std::move(tally).Sum();
}

std::string DeviceName(char type, int64_t major, int64_t minor) {
  auto number = [](int64_t value) { return value < 0 ? std::string("*") : StrCat(value); };
  return StrCat(type, " ", number(major), ":", number(minor));
}

// Memory, ports and whole disks are the host; a wildcard may be anything.
int DeviceWeight(char type, int64_t major, int64_t minor) {
  constexpr int64_t kMemoryMajor = 1, kMem = 1, kKmem = 2, kPort = 4;
  if (type == 'a') return 100;
  if (major < 0) return 60;
  if (type == 'b') return 40;
  if (type == 'c' && major == kMemoryMajor) {
    if (minor == kMem || minor == kKmem || minor == kPort) return 60;
    return minor < 0 ? 60 : 0;  // null, zero, full, random, urandom
  }
  return 10;
}

// A rule opens what has a node: one of the configuration's own, one that CAP_MKNOD makes, or the
// host's whole /dev.
SurfaceGroup Devices(const SurfaceFacts& facts) {
  Tally tally{.group = {.name = "devices"}};
  bool mknod =
      (facts.capabilities >> CAP_MKNOD & 1) != 0 && (facts.shared_namespaces & CLONE_NEWUSER) != 0;
  bool host_dev = CoverOf(facts, "/dev").type == "devtmpfs";
  std::map<std::string, int> allowed;
  auto set = [&](char type, int64_t major, int64_t minor) {
    if (int weight = DeviceWeight(type, major, minor))
      allowed[DeviceName(type, major, minor)] = weight;
  };
  for (const auto& rule : facts.device_rules) {
    if (!rule.allow && rule.type == 'a') allowed.clear();
    if (!rule.allow) allowed.erase(DeviceName(rule.type, rule.major, rule.minor));
    // "m" alone makes a node and opens nothing.
    bool opens = rule.access.find_first_of("rw") != std::string::npos;
    if (rule.allow && opens && (mknod || host_dev)) set(rule.type, rule.major, rule.minor);
  }
  for (const auto& device : facts.devices) {
    if (device.type != 'p') set(device.type, device.major, device.minor);
  }
  for (const auto& [name, weight] : allowed) tally.Add(name, weight, Openness::kOpen);
  return std::move(tally).Sum();
}

// Directories whose writer can become the host's root.
bool IsCritical(std::string_view source) {
  if (source == "/") return true;
  for (std::string_view path : {"/etc", "/root", "/boot", "/usr", "/bin", "/sbin", "/lib", "/dev",
                                "/proc", "/sys", "/run", "/var/run"}) {
    if (IsBelow(source, path) || IsBelow(path, source)) return true;
  }
  return false;
}

SurfaceGroup HostPaths(const SurfaceFacts& facts) {
  Tally tally{.group = {.name = "host-paths"}};
  for (const auto& mount : facts.mounts) {
    if (mount.source.empty() || mount.kind != SurfaceMount::Kind::kMount) continue;
    bool readonly = mount.readonly || CoverOf(facts, mount.destination).readonly;
    int weight = IsCritical(mount.source) ? 50 : 10;
    tally.Add(StrCat(mount.source, " at ", mount.destination), readonly ? weight / 5 : weight,
              readonly ? Openness::kPartly : Openness::kOpen);
  }
  return std::move(tally).Sum();
}

SurfaceGroup Privileges(const SurfaceFacts& facts) {
  Tally tally{.group = {.name = "privileges"}};
  if (!facts.root_is_unprivileged) {
    if (facts.uid == 0)
      tally.Add("runs as the host's root", 40, Openness::kOpen);
    else
      tally.Add("can name the host's root", 40, Openness::kPartly);
  }
  if (!facts.no_new_privileges) tally.Add("may gain privileges by execve", 30, Openness::kOpen);
  if (!facts.confined) tally.Add("no AppArmor profile or SELinux label", 30, Openness::kOpen);
  return std::move(tally).Sum();
}

}  // namespace

Result<std::vector<SurfaceGroup>> ScoreSurface(const SurfaceFacts& facts) {
  std::vector<SurfaceGroup> groups;
  groups.push_back(TRY(Syscalls(facts)));
  groups.push_back(CapabilityGroup(facts));
  groups.push_back(Namespaces(facts));
  groups.push_back(Interfaces(facts));
  groups.push_back(Devices(facts));
  groups.push_back(HostPaths(facts));
  groups.push_back(Privileges(facts));
  return groups;
}

std::vector<SurfaceGroup> OpensMore(const std::vector<SurfaceGroup>& first,
                                    const std::vector<SurfaceGroup>& second) {
  std::vector<SurfaceGroup> more;
  for (size_t i = 0; i < second.size(); ++i) {
    std::map<std::string_view, Openness> before;
    for (const auto& item : first[i].items) before[item.name] = item.openness;
    SurfaceGroup group{.name = second[i].name,
                       .score = std::max(0, second[i].score - first[i].score)};
    for (const auto& item : second[i].items) {
      auto known = before.find(item.name);
      if (known == before.end() || known->second < item.openness) group.items.push_back(item);
    }
    if (!group.items.empty()) more.push_back(std::move(group));
  }
  return more;
}

}  // namespace kiste::runtime
