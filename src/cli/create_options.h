// SPDX-License-Identifier: Apache-2.0
//
// The options that `create` and `run` share.
#pragma once

#include "cli/command.h"
#include "runtime/create.h"

namespace kiste::cli {

#define KISTE_CREATE_OPTIONS                                                              \
  {"bundle", 'b', "DIR", "directory of config.json (default: the current one)"},          \
      {"config", 'f', "FILE", "configuration instead of the bundle's config.json"},       \
      {"console-socket", 0, "PATH", "Unix socket that is sent the terminal"},             \
      {"pidfd-socket", 0, "PATH", "Unix socket that is sent a pidfd of the process"},     \
      {"pid-file", 0, "FILE", "write the process's pid there"},                           \
      {"preserve-fds", 0, "N", "hand over descriptors 3 to 2+N (default 0)"},             \
      {"no-pivot", 0, nullptr, "move the root instead of pivot_root (for an initramfs)"}, \
      {"no-new-keyring", 0, nullptr, "stay in the caller's session keyring"}

Result<runtime::CreateRequest> ReadCreateRequest(Session& session);

}  // namespace kiste::cli
