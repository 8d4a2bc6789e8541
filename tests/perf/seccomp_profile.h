// SPDX-License-Identifier: Apache-2.0
// Translates the profile that container engines ship (containers-common's seccomp.json, Docker's
// default.json) into config.json's linux.seccomp. Profiles carry rules for other architectures,
// kernels and capability sets under `includes` and `excludes`; the engine decides which of them
// apply and hands the runtime a plain list. This is that decision.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "json.h"
#include "result.h"

namespace kiste::perf {

// What the profile is resolved for.
struct ProfileContext {
  std::string architecture;               // in the profile's words: amd64, arm64
  std::string native;                     // in libseccomp's: SCMP_ARCH_X86_64
  std::vector<std::string> capabilities;  // that the container has
  std::pair<int, int> kernel;             // major, minor
};

// podman's default capabilities and this machine.
ProfileContext DefaultProfileContext();

Result<Json> TranslateSeccompProfile(const Json& profile, const ProfileContext& context);

}  // namespace kiste::perf
