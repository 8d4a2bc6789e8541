// SPDX-License-Identifier: Apache-2.0
//
// The options that `checkpoint` and `restore` share.
#pragma once

#include "cli/command.h"
#include "runtime/criu_request.h"

namespace kiste::cli {

#define KISTE_CRIU_OPTIONS                                                                        \
  {"image-path", 0, "DIR", "the folder of the images (default: checkpoint, in the current one)"}, \
      {"work-path", 0, "DIR", "the folder of criu's log and work files (default: the images')"},  \
      {"tcp-established", 0, nullptr, "with open TCP connections"},                               \
      {"ext-unix-sk", 0, nullptr, "with Unix sockets whose other end is outside"},                \
      {"shell-job", 0, nullptr, "with a terminal or session that is the caller's"},               \
      {"file-locks", 0, nullptr, "with locks on files"},                                          \
      {"manage-cgroups-mode", 0, "soft|full|strict|ignore",                                       \
       "what becomes of cgroups (default soft)"},                                                 \
      {"empty-ns", 0, "NAMESPACE", "make the namespace, leave it empty: network (always so)"},    \
      {"auto-dedup", 0, nullptr, "give back pages of images as they become stale"},               \
      {"network-lock", 0, "iptables|nftables|skip", "how TCP is kept still"},                     \
      {"lazy-pages", 0, nullptr, "leave memory to be fetched page by page when it is used"}

// Both commands' options; what only one of them has stays at its default.
Result<runtime::CriuRequest> ReadCriuRequest(const Session& session);

}  // namespace kiste::cli
