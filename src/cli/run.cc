// SPDX-License-Identifier: Apache-2.0
#include "runtime/run.h"

#include "cli/create_options.h"

namespace kiste::cli {

namespace {

constexpr Option kOptions[] = {
    KISTE_CREATE_OPTIONS,
    {"detach", 'd', nullptr, "return as soon as the process runs"},
    {"keep", 0, nullptr, "keep the stopped container until delete"},
    {"no-subreaper", 0, nullptr, "do not adopt the container's orphans"},
};

Result<int> Run(Session& session) {
  runtime::RunRequest request;
  request.create = TRY(ReadCreateRequest(session));
  request.detach = session.arguments.Switch("detach");
  request.keep = session.arguments.Switch("keep");
  request.subreaper = !session.arguments.Switch("no-subreaper");
  auto store = TRY(session.MakeStore());
  return runtime::Run(store, std::move(request));
}

}  // namespace

const Command kRunCommand = {
    "run", "<container-id>", "create and start a container, and wait for it", kOptions, 1, 1, Run};

}  // namespace kiste::cli
