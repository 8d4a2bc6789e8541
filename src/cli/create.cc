// SPDX-License-Identifier: Apache-2.0
#include "cli/create_options.h"
#include "runtime/environment.h"

namespace kiste::cli {

namespace {

constexpr Option kOptions[] = {KISTE_CREATE_OPTIONS};

Result<int> Run(Session& session) {
  auto request = TRY(ReadCreateRequest(session));
  auto store = TRY(session.MakeStore());
  TRY(runtime::Create(store, std::move(request)));
  return 0;
}

}  // namespace

Result<runtime::CreateRequest> ReadCreateRequest(Session& session) {
  const auto& arguments = session.arguments;
  runtime::CreateRequest request;
  request.id = session.Id();
  request.bundle = arguments.Value("bundle", ".");
  request.config_file = arguments.Value("config");
  request.console_socket = arguments.Value("console-socket");
  request.pidfd_socket = arguments.Value("pidfd-socket");
  request.pid_file = arguments.Value("pid-file");
  request.no_pivot = arguments.Switch("no-pivot");
  request.no_new_keyring = arguments.Switch("no-new-keyring");
  request.preserve_fds = TRY(arguments.Number("preserve-fds", 0)) + runtime::AnnouncedListenFds();
  request.rootless = session.rootless;
  request.no_cgroups = session.no_cgroups;
  request.systemd_cgroup = session.systemd_cgroup;
  request.manager_socket = runtime::ManagerSocket();
  request.warn = session.Warn();
  return request;
}

const Command kCreateCommand = {"create",
                                "<container-id>",
                                "make a container from a bundle; its process waits for start",
                                kOptions,
                                1,
                                1,
                                Run};

}  // namespace kiste::cli
