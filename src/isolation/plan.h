// SPDX-License-Identifier: Apache-2.0
//
// LaunchPlan: everything that a sandbox needs to start a container's process, resolved. The
// runtime (src/runtime) makes it from a bundle; a backend (namespaces, later sentry and microvm)
// carries it out. A plan holds open descriptors where a path could change meaning between planning
// and doing; it is used once.
#pragma once

#include <linux/filter.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/fd.h"
#include "oci/config.h"

namespace kiste::isolation {

// A namespace to enter before new ones are made.
struct NamespaceJoin {
  int flags = 0;     // CLONE_NEW*; several when `fd` is a pidfd (setns(2), since Linux 5.8)
  Fd fd;             // /proc/<pid>/ns/<name>, or a pidfd
  std::string path;  // for errors
};

struct NamespacePlan {
  int create = 0;                                // CLONE_NEW* to make
  std::vector<NamespaceJoin> join;               // in this order: user first
  std::vector<oci::IdMapping> uid_map, gid_map;  // of a new user namespace
  bool deny_setgroups = false;  // an unprivileged gid_map demands it (user_namespaces(7))
  bool use_newidmap = false;    // maps are written by newuidmap(1), newgidmap(1)
  bool become_root = false;     // user 0 of the user namespace that is joined
  std::string time_offsets;     // lines for /proc/self/timens_offsets (time_namespaces(7))
  bool bring_loopback_up = false;
};

struct CgroupPlan {
  std::vector<Fd> tasks;    // v1: `tasks` files, the child writes "0" to each
  Fd directory;             // v2: for CLONE_INTO_CGROUP
  bool by_runtime = false;  // the runtime has the child moved (LaunchObserver::enter_cgroup)
};

struct DeviceNode {
  std::string path;
  mode_t mode = 0;  // S_IFCHR, S_IFBLK or S_IFIFO with permissions
  uint32_t major = 0, minor = 0;
  uint32_t uid = 0, gid = 0;
  bool must_match = false;  // what is at the path already must be this device
};

struct Symlink {
  std::string target, path;
};

struct FileWrite {
  std::string name;  // what the configuration calls it
  std::string path;  // relative to /proc
  std::string value;
};

// A file-system deed on the way to the container's root, in the order given.
struct MountStep {
  oci::Mount mount;         // source absolute
  Fd source_tree;           // a detached clone of the bind source, when the child could not open it
  std::string link_target;  // not "": a symbolic link at mount.destination, nothing mounted
  bool no_symlinks = false;  // proc and sysfs: no component may be a link (CVE-2019-19921)
  bool inside_proc =
      false;  // the destination is /proc or below: only procfs may lie there (CVE-2019-16884)
  bool over_proc_allowed = false;    // a destination below /proc that is known to be harmless
  std::string selinux_label;         // put on the root of what is mounted, which takes no context=
  std::string fallback_bind_source;  // when mounting is refused (EPERM, EBUSY): rbind this instead
};

struct RootPlan {
  std::string path;  // absolute, on the host
  Fd tree;           // a detached clone of it, when the child could not open the path
  bool readonly = false;
  bool private_mounts = true;     // there is a new (or joined) mount namespace to work in
  bool own_mount = true;          // the root becomes a mount of its own, for others to lie on
  uint32_t host_propagation = 0;  // MS_SLAVE|MS_REC …: given to "/" first
  uint32_t propagation = 0;       // rootfsPropagation applied to the new root at the end; 0: none
  std::vector<std::string> hidden_mounts;  // with no_pivot: taken out of the mount namespace first
  bool no_pivot = false;  // move the root over "/" and chroot instead of pivot_root(2)
  std::vector<MountStep> mounts;
  std::vector<DeviceNode> devices;
  bool bind_devices = false;  // mknod(2) is refused in a user namespace
  std::vector<Symlink> dev_links;
  std::vector<std::string> masked_paths, readonly_paths;
  std::string mount_label;  // of the file system that covers masked directories; "" none
};

// Stands for the container's host pid in a state text that is written before the pid is known.
constexpr char kPidMark = '\x01';

struct SeccompPlan {
  std::vector<sock_filter> filter;  // empty: none
  uint32_t flags = 0;               // SECCOMP_FILTER_FLAG_*
  Fd listener;                      // connected to the agent, when the filter notifies
  std::string listener_state;       // what it is sent, with kPidMark for the pid
};

struct CapabilitySets {
  uint64_t bounding = 0, effective = 0, inheritable = 0, permitted = 0, ambient = 0;
};

// Masks, here and below: bit n of word n / 64.
struct MemoryPolicy {
  uint32_t mode = 0;            // MPOL_*, with MPOL_F_*
  std::vector<uint64_t> nodes;  // of set_mempolicy(2)
};

struct ProcessPlan {
  std::vector<std::string> args, env;  // no args: there is nothing that could be started
  std::string cwd;
  uint32_t uid = 0, gid = 0;
  std::vector<uint32_t> groups;
  bool set_groups = true;    // false where setgroups(2) is denied, or the caller's are kept
  bool keep_groups = false;  // the caller's stay, in a user namespace that is joined too
  uint32_t umask = 022;
  CapabilitySets capabilities;
  std::vector<oci::Rlimit> rlimits;
  bool no_new_privileges = false;
  std::optional<int> oom_score_adj;
  std::string apparmor_profile, selinux_label;
  std::optional<oci::Scheduler> scheduler;
  std::optional<oci::IoPriority> io_priority;
  std::optional<unsigned long> personality;
  std::optional<MemoryPolicy> memory_policy;
  std::vector<uint64_t> initial_cpus;  // before the cgroups are joined; empty: the caller's
  std::vector<uint64_t> final_cpus;    // once they are; empty: as the kernel leaves it
  std::string session_keyring;         // "" joins none
  SeccompPlan seccomp;
  bool terminal = false;
  std::optional<oci::ConsoleSize> console_size;
  Fd console_socket;          // the pty's master is sent here
  unsigned preserve_fds = 0;  // descriptors 3 … 3+n-1 stay open
};

struct InnerHooks {
  std::vector<oci::Hook> hooks;
  std::string state;  // JSON with kPidMark where the container's pid, as the host sees it, belongs
  std::vector<std::string> env = {};  // of hooks that name none
};

// A change of the mounts of a container that exists, in the place of a process.
struct MountChange {
  std::vector<MountStep> add;       // in this order; all of them or none
  std::vector<std::string> remove;  // destinations, absolute; from the last to the first
};

struct LaunchPlan {
  std::string id;
  // The runtime is the host's root: what only that may do (limits in a user namespace, ids) is done
  // by it, and launchers are hidden from all others.
  bool privileged_runtime = true;
  NamespacePlan namespaces;
  CgroupPlan cgroup;
  std::optional<RootPlan> root;     // nullopt: the joined mount namespace's root as it is (exec)
  Fd chroot_to;                     // exec into a container without a mount namespace of its own
  bool network_by_runtime = false;  // the runtime moves devices in (LaunchObserver::move_devices)
  std::string hostname, domainname;
  std::vector<FileWrite> sysctls;
  InnerHooks create_container, start_container;
  ProcessPlan process;
  std::optional<MountChange> mount_change;  // then there is no process, and no root
  // How long the launcher may take from one report to the next; a hook's timeout is added, and a
  // hook without one may take for ever.
  std::chrono::milliseconds patience = kPatience;
  int scratch = -1;   // a directory for the launcher's file where memory files cannot be executed
  Fd start_listener;  // when valid: wait here for `start` before the last steps
};

}  // namespace kiste::isolation
