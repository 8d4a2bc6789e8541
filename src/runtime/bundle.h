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
  bool process_absent = false;  // config.process stands in for it
  std::string rootfs;           // absolute
};

// `config_file`, unless "", is read instead of its config.json.
Result<Bundle> ReadBundle(const std::string& given, const std::string& config_file = {});

}  // namespace kiste::runtime
