// SPDX-License-Identifier: Apache-2.0
#include "runtime/restore.h"

#include "cli/create_options.h"
#include "cli/criu_options.h"

namespace kiste::cli {

namespace {

constexpr Option kOptions[] = {
    KISTE_CRIU_OPTIONS,
    {"bundle", 'b', "DIR", "directory of config.json (default: the current one)"},
    {"console-socket", 0, "PATH", "Unix socket that is sent the terminal"},
    {"pid-file", 0, "FILE", "write the process's pid there"},
    {"detach", 'd', nullptr, "return as soon as the process runs"},
    {"no-subreaper", 0, nullptr, "do not adopt the container's orphans"},
    {"no-pivot", 0, nullptr, "accepted; criu makes the root in its own way"},
    {"tcp-close", 0, nullptr, "restore TCP connections as closed ones"},
    {"lsm-profile", 0, "TYPE:NAME", "another AppArmor profile or SELinux label"},
    {"lsm-mount-context", 0, "CONTEXT", "another SELinux context for mounts"},
};

Result<int> Run(Session& session) {
  runtime::RestoreRequest request;
  request.criu = TRY(ReadCriuRequest(session));
  request.create = TRY(ReadCreateRequest(session));
  request.detach = session.arguments.Switch("detach");
  request.subreaper = !session.arguments.Switch("no-subreaper");
  auto store = TRY(session.MakeStore());
  return runtime::Restore(store, std::move(request));
}

}  // namespace

const Command kRestoreCommand = {
    "restore", "<container-id>", "run a container that was saved by checkpoint", kOptions, 1, 1,
    Run};

}  // namespace kiste::cli
