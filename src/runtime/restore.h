// SPDX-License-Identifier: Apache-2.0
//
// `restore`: a container is made again out of a bundle and what `checkpoint` saved, through CRIU
// (docs/decisions/0010-checkpoint.md), and unless detached waited for, as `run` does.
#pragma once

#include "base/result.h"
#include "runtime/create.h"
#include "runtime/criu_request.h"
#include "runtime/store.h"

namespace kiste::runtime {

struct RestoreRequest {
  CreateRequest create;
  CriuRequest criu;
  bool detach = false;
  bool subreaper = true;  // adopt the container's orphans while in the foreground
};

// The payload's exit code (0 when detached). When it fails nothing is left, as with create.
Result<int> Restore(const Store& store, RestoreRequest request);

}  // namespace kiste::runtime
