// SPDX-License-Identifier: Apache-2.0
//
// The Features structure (features.md, features-linux.md, runtime-spec 1.3): what this build
// understands of config.json, whatever host it runs on. Names come from the tables that the parser
// reads.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kiste::oci {

// What the parser reads and only some builds carry out: a line is switched on by the change that
// brings the deed. The rest of the specification is always there.
struct Carried {
  bool systemd_cgroup = false;       // --systemd-cgroup by root
  bool systemd_user_cgroup = false;  // and by an ordinary user's own systemd
  bool selinux = false;              // selinuxLabel and mountLabel
  bool id_mapped_mounts = false;     // uidMappings, gidMappings, idmap, ridmap
  bool intel_rdt = false;
  bool intel_rdt_schemata = false;
  bool intel_rdt_monitoring = false;
  bool memory_policy = false;
  bool net_devices = false;
  bool checkpoint = false;  // the commands checkpoint and restore
};
inline constexpr Carried kCarried{.systemd_cgroup = true,
                                  .systemd_user_cgroup = true,
                                  .selinux = true,
                                  .id_mapped_mounts = true,
                                  .intel_rdt = true,
                                  .intel_rdt_schemata = true,
                                  .intel_rdt_monitoring = true,
                                  .memory_policy = true,
                                  .net_devices = true,
                                  .checkpoint = true};

// What only a lower floor knows.
struct SeccompWords {
  std::vector<std::string_view> actions, operators, architectures, known_flags, supported_flags;
};

// The structure as JSON, indented, with a newline at its end. `annotations` are versions and the
// like.
std::string FeaturesJson(const Carried& carried, SeccompWords seccomp,
                         const std::map<std::string, std::string>& annotations);

}  // namespace kiste::oci
