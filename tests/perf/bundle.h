// SPDX-License-Identifier: Apache-2.0
// The bundle that every runtime gets: a busybox root file system and the config.json of `runc spec`
// with a cgroup namespace, no terminal and a cgroupsPath of its own. Built once per target, worker
// and payload, outside the measured time.
#pragma once

#include <string>

#include "json.h"
#include "process.h"
#include "result.h"

namespace kiste::perf {

enum class Payload {
  kTrue,     // busybox true
  kSleep,    // busybox sleep, for containers that stay
  kNothing,  // runtime-nothing: no library, two or three pages, one system call
};
enum class Filter { kNone, kSeccomp };

Argv PayloadCommand(Payload payload);

class Bundles {
 public:
  // Lays the root file system out below work_directory.
  static Result<Bundles> Make(const std::string& work_directory,
                              const std::string& nothing_program);

  // The profile for Filter::kSeccomp; without it such bundles are refused.
  Result<void> LoadSeccompProfile(const std::string& path);

  // The folder of a bundle whose container lives in cgroup /`cgroup`; made when first asked for.
  Result<std::string> Get(const std::string& cgroup, Payload payload, Filter filter);
  const std::string& Rootfs() const { return rootfs_; }

 private:
  std::string directory_;
  std::string rootfs_;
  Json seccomp_;
};

}  // namespace kiste::perf
