// SPDX-License-Identifier: Apache-2.0
//
// `run`: create, start, and unless detached stay until the end and delete.
#pragma once

#include "base/result.h"
#include "runtime/create.h"

namespace kiste::runtime {

struct RunRequest {
  CreateRequest create;
  bool detach = false;
  bool keep = false;      // leave the stopped container for `delete`
  bool subreaper = true;  // adopt the container's orphans while in the foreground
};

// The payload's exit code (0 when detached).
Result<int> Run(const Store& store, RunRequest request);

}  // namespace kiste::runtime
