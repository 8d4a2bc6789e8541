// SPDX-License-Identifier: Apache-2.0
//
// What a container has that is not its own, which CRIU neither saves nor makes: bind mounts, files
// that mask others, namespaces joined by path, the standard streams it was started with. The images
// hold names for them; a restore says what each name stands for then.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "oci/config.h"
#include "runtime/plan.h"
#include "runtime/record.h"
#include "sys/criu/rpc.h"

namespace kiste::runtime {

// A bind mount of the configuration. Its destination is its name in the images.
struct ExternalMount {
  std::string destination;  // absolute, clean
  std::string source;       // absolute
};

// config.json's binds; those that a "cgroup" mount is made of; devices where they are binds.
Result<std::vector<ExternalMount>> ExternalMounts(const RootRequest& request);

// The same for a dump: what is really mounted there now, by the places where process `pid` sees it.
Result<std::vector<sys::criu::Named>> MountsToLeaveOut(const std::vector<ExternalMount>& mounts,
                                                       const oci::Config& config, pid_t pid);
// And for a restore: what each name stands for.
std::vector<sys::criu::Named> MountsToBind(const std::vector<ExternalMount>& mounts,
                                           const oci::Config& config);

// Makes what is missing in `rootfs` to mount on, as create does. What is below a tmpfs is criu's.
Status MakeMountPoints(const oci::Config& config, const std::string& rootfs,
                       const std::string& bundle);

// Namespaces by path: network and pid are left out of the images ("net[4026531840]:extRootNetNS")
// and come in as descriptors, others are joined. kUnsupported for a cgroup namespace.
Result<std::vector<std::string>> NamespacesToLeaveOut(const oci::Config& config, pid_t pid);
struct NamespacesToEnter {
  std::vector<Fd> fds;  // of `inherited`
  std::vector<sys::criu::InheritedFd> inherited;
  std::vector<sys::criu::JoinedNamespace> joined;
};
Result<NamespacesToEnter> OpenNamespaces(const oci::Config& config);

// The standard streams' names: pipes as they were when the container was started, and files that
// the container cannot see ("file[1c:4711]"), terminals too if they are to be left out
// ("tty[8803:18]"). For descriptors.json, which has runc's form.
enum class Terminals { kKeep, kLeaveOut };
Result<std::vector<std::string>> StreamsToLeaveOut(const Record& record, pid_t pid,
                                                   Terminals terminals);
// What /proc calls this process's own.
std::vector<std::string> OwnStreams();

}  // namespace kiste::runtime
