// SPDX-License-Identifier: Apache-2.0
#include "runtime/checkpoint.h"

#include "cli/criu_options.h"

namespace kiste::cli {

namespace {

constexpr Option kOptions[] = {
    KISTE_CRIU_OPTIONS,
    {"leave-running", 0, nullptr, "let the container go on afterwards"},
    {"pre-dump", 0, nullptr, "save memory only, and let the container go on"},
    {"parent-path", 0, "DIR", "images of a dump before, relative to --image-path"},
    {"page-server", 0, "ADDRESS:PORT",
     "send the memory to a criu page-server; with --lazy-pages, be one"},
    {"status-fd", 0, "FD", "write a zero byte there when pages can be fetched"},
    {"tcp-skip-in-flight", 0, nullptr, "leave out TCP connections that are being made"},
    {"link-remap", 0, nullptr, "give deleted files that are open a name again"},
};

Result<int> Run(Session& session) {
  auto request = TRY(ReadCriuRequest(session));
  auto store = TRY(session.OpenStore());
  TRY(runtime::Checkpoint(store, session.Id(), request, session.Warn()));
  return 0;
}

}  // namespace

const Command kCheckpointCommand = {
    "checkpoint", "<container-id>", "save a running container to files (CRIU)", kOptions, 1, 1,
    Run};

}  // namespace kiste::cli
