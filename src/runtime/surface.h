// SPDX-License-Identifier: Apache-2.0
//
// What a configuration opens of the host's kernel, for `surface` (docs/surface.md has the rules).
// First the facts, from config.json or from a running process; then the groups, each with what is
// open in it and a score from 0 (nothing) to 100 (all that the host's root has).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "oci/config.h"
#include "runtime/container.h"

namespace kiste::runtime {

// A mount as far as it decides what lies at a path; later ones lie over earlier ones.
struct SurfaceMount {
  enum class Kind {
    kMount,     // a file system or a bind
    kMask,      // something empty lies there
    kReadonly,  // what is there already, read-only
  };
  std::string destination;  // absolute
  std::string type;         // file system type; "bind" for host directories and files
  std::string source;       // of a bind, absolute
  bool readonly = false;
  Kind kind = Kind::kMount;
  bool part = false;  // a directory or file of its file system, not that one's root
};

struct SurfaceFacts {
  std::string source;  // "bundle /x", "container y"
  pid_t pid = 0;       // of the running process that was looked at; 0: config.json alone
  bool filtered = false;
  std::optional<oci::Seccomp> seccomp;
  int shared_namespaces = 0;          // CLONE_NEW* that are the host's
  bool root_is_unprivileged = false;  // a user namespace in which no id is the host's 0
  uint32_t uid = 0;                   // in the container
  uint64_t capabilities = 0;          // that a process in there can come to have
  bool no_new_privileges = false;
  bool confined = false;  // by an AppArmor profile or a SELinux label
  std::vector<SurfaceMount> mounts;
  std::vector<oci::DeviceRule> device_rules;
  std::vector<oci::Device> devices;
};

// From a bundle's config.json.
Result<SurfaceFacts> BundleSurface(const std::string& bundle);
// From a container's recorded config.json, and from /proc what is true of its process if that runs:
// filter, capabilities, no_new_privs, ids, namespaces, mounts.
Result<SurfaceFacts> ContainerSurface(const Container& container);

// What a running process's status, uid_map and mountinfo say, in place of what config.json said of
// filter, capabilities, no_new_privs, root and mounts. The names in them are the container's.
void AddProcessTexts(std::string_view status, std::string_view uid_map, std::string_view mountinfo,
                     SurfaceFacts& facts);

enum class Openness { kPartly = 1, kOpen = 2 };

struct SurfaceItem {
  std::string name;
  Openness openness = Openness::kOpen;
};

struct SurfaceGroup {
  std::string name;
  int score = 0;
  std::vector<SurfaceItem> items;  // what is open
};

// In a fixed order: syscalls, capabilities, namespaces, kernel-interfaces, devices, host-paths,
// privileges. Fails when the filter cannot be compiled.
Result<std::vector<SurfaceGroup>> ScoreSurface(const SurfaceFacts& facts);

// The items of each group that `second` has and `first` has not, or not as open; groups without any
// are left out. The score is how much higher the second's is.
std::vector<SurfaceGroup> OpensMore(const std::vector<SurfaceGroup>& first,
                                    const std::vector<SurfaceGroup>& second);

}  // namespace kiste::runtime
