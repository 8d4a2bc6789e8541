// SPDX-License-Identifier: Apache-2.0
//
// Making a container out of a bundle (runtime.md, "Lifecycle", steps 1 to 6), for `create` and
// `run`. Each step has an undo: when one fails nothing stays behind.
#pragma once

#include <optional>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "isolation/namespaces/launch.h"
#include "oci/config.h"
#include "runtime/container.h"
#include "runtime/notify_socket.h"
#include "runtime/plan.h"
#include "runtime/store.h"
#include "sys/cgroup/cgroup.h"

namespace kiste::runtime {

struct CreateRequest {
  std::string id;
  std::string bundle;          // as given; made absolute
  std::string config_file;     // instead of the bundle's config.json; "" is that
  std::string console_socket;  // path of the caller's socket for the terminal
  Fd console;                  // or a socket of our own (run in the foreground); one of the two
  std::string pid_file;        // "" writes none
  std::string pidfd_socket;    // path of a socket that is sent a pidfd of the process
  bool wait_for_start = true;
  bool no_pivot = false;
  bool no_new_keyring = false;
  unsigned preserve_fds = 0;
  std::optional<bool> rootless;  // nullopt: found out
  bool no_cgroups = false;       // crun's --cgroup-manager=disabled
  bool systemd_cgroup = false;   // the cgroup is a unit of systemd's
  std::string manager_socket;    // of a service manager (notify_socket.h); "" there is none
  Warn warn;
};

struct Created {
  Container container;
  oci::Config config;
  sys::cgroup::Cgroup cgroup;
  isolation::Launched process;
  NotifySocket notify;  // listening, unless the process waits for start
};

Result<Created> Create(const Store& store, CreateRequest request);

// A pid file: the decimal pid, whole before anybody can open it under its name.
Status WritePidFile(const std::string& path, pid_t pid);
// The same for a process just launched, which is killed and reaped when it cannot be told.
// `pidfd_socket`, unless invalid, is sent the process's pidfd with the word `kind` first
// ("standard" or "setns", as runc has it).
Status TellPid(const std::string& pid_file, const Fd& pidfd_socket, const std::string& kind,
               const isolation::Launched& process);
// Connects to `path`; invalid when that is "".
Result<Fd> ConnectPidfdSocket(const std::string& path);
// Whether descriptors 3 … 2+count are open; kInvalid naming the first that is not.
Status CheckPreservedFds(unsigned count);

}  // namespace kiste::runtime
