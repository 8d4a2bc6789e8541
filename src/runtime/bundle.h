// SPDX-License-Identifier: Apache-2.0
//
// A bundle (bundle.md): its config.json, read and parsed, and its root. For create and restore.
#pragma once

#include <string>

#include "base/result.h"
#include "oci/config.h"

namespace kiste::runtime {

struct Bundle {
  std::string path, text;  // absolute; of config.json
  oci::Config config;
  std::string rootfs;  // absolute
};

// `config_file`, unless "", is read instead of its config.json.
Result<Bundle> ReadBundle(const std::string& given, const std::string& config_file = {});
// What the specification has and this runtime not yet: refused, never silently left out.
Status CheckSupported(const oci::Config& config);

}  // namespace kiste::runtime
