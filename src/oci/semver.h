// SPDX-License-Identifier: Apache-2.0
//
// Versions as semver.org 2.0.0 writes them: ociVersion must be one (config.md, "Specification
// version").
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace kiste::oci {

struct SemVer {
  uint64_t major = 0, minor = 0, patch = 0;
};

// The three numbers of "1.2.3-rc.1+build"; nothing when `text` is no such version.
std::optional<SemVer> ParseSemVer(std::string_view text);

}  // namespace kiste::oci
