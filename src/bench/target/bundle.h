// SPDX-License-Identifier: Apache-2.0
//
// The OCI bundle of an instance: the config.json that `runc spec` writes, without a terminal, and
// with what is asked for. The same for every runtime.
#pragma once

#include <string>

#include "base/result.h"
#include "bench/description/workload.h"

namespace kiste::bench {

struct BundleRequest {
  std::string rootfs;
  Words command;
  std::string cgroup;   // path; made by the runtime
  std::string network;  // a network namespace to join; "" has it made
  std::string data;     // the folder that becomes /data; "" for none
  std::string seccomp;  // a profile in the specification's form, as JSON text; "" for none
  Limits limits;
};

std::string ConfigJson(const BundleRequest& request);

// podman's default profile as the specification's `linux.seccomp`, from the file that Debian's
// golang-github-containers-common has; kNotFound.
Result<std::string> DefaultSeccompProfile();

}  // namespace kiste::bench
