// SPDX-License-Identifier: Apache-2.0
//
// `exec`: another process in a container that exists.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/plan.h"
#include "runtime/store.h"

namespace kiste::runtime {

// What the command line changes of the container's own process object; with `process_file` that
// file's object stands for all of it.
struct ExecOptions {
  std::string process_file;
  std::vector<std::string> args, env;
  std::string cwd;
  std::optional<uint32_t> uid, gid;
  std::vector<uint32_t> additional_gids;
  std::vector<int> capabilities;
  std::optional<bool> no_new_privileges;
  bool terminal = false;
  std::string apparmor_profile, selinux_label;
};

struct ExecRequest {
  std::string id;
  ExecOptions options;
  bool detach = false;
  std::string console_socket, pid_file, pidfd_socket;
  unsigned preserve_fds = 0;
  bool ignore_paused = false;
  std::vector<sys::cgroup::SubPath> cgroups;
  Warn warn;
};

// The process's exit code (0 when detached).
Result<int> Exec(const Store& store, const ExecRequest& request);

}  // namespace kiste::runtime
