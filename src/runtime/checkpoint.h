// SPDX-License-Identifier: Apache-2.0
//
// `checkpoint`: a running container becomes files, through CRIU
// (docs/decisions/0010-checkpoint.md).
#pragma once

#include <string>

#include "base/result.h"
#include "runtime/criu_request.h"
#include "runtime/plan.h"
#include "runtime/store.h"

namespace kiste::runtime {

inline constexpr char kDescriptorsFile[] = "descriptors.json";  // in the images; runc's and crun's

// Saves the container to request.image_path. Unless it is to be left running, or the dump is only
// of memory (pre_dump), the container is deleted then, as `delete` does. kState unless it runs or
// is paused. When criu fails the container runs on.
Status Checkpoint(const Store& store, const std::string& id, const CriuRequest& request,
                  const Warn& warn);

}  // namespace kiste::runtime
