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
  std::string rootfs;  // absolute
};

Result<Bundle> ReadBundle(const std::string& given);

}  // namespace kiste::runtime
