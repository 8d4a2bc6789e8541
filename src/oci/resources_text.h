// SPDX-License-Identifier: Apache-2.0
//
// linux.resources back to text: what `update` has changed goes into the container's copy of
// config.json, so that later commands read what is in force.
#pragma once

#include <string>

#include "base/result.h"
#include "oci/config.h"

namespace kiste::oci {

// The object as ParseResources reads it.
std::string ResourcesJson(const Resources& resources);

// `config_text`, a valid config.json, with these resources in place of its own; everything else,
// members that nobody here knows included, stays. `file` is its name for errors.
Result<std::string> WithResources(const std::string& config_text, const std::string& file,
                                  const Resources& resources);

}  // namespace kiste::oci
