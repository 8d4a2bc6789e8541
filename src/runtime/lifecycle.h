// SPDX-License-Identifier: Apache-2.0
//
// What happens to a container that exists (runtime.md, "Operations" and "Lifecycle").
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/container.h"
#include "runtime/plan.h"
#include "runtime/store.h"

namespace kiste::runtime {

// Runs what `create` left waiting, then the poststart hooks. When one of those fails the container
// is stopped (runtime-spec 1.3, lifecycle step 10).
Status Start(const Store& store, const std::string& id, const std::string& manager_socket);
// The poststart hooks of a container that runs now; on failure it is killed.
Status RunPoststart(const Container& container, const oci::Config& config);

// Sends a signal to the first process, or to every process of the container. SIGKILL also reaches
// one that is paused. kState when the container has stopped (not for `all`).
enum class KillScope { kFirstProcess, kAll };
Status Kill(const Store& store, const std::string& id, int signal, KillScope scope);

// Takes everything back: processes, cgroups, the state folder; then the poststop hooks.
// Refused for a running or paused container (kState) unless forced. Forced, an id that does not
// exist is no error, and what a killed create left is cleaned up. A cgroup that another container
// has taken since this one stopped is left to it, with its processes.
enum class Force { kNo, kYes };
Status Delete(const Store& store, const std::string& id, Force force, const Warn& warn);
// The same for a container that is locked already (LockContainer).
Status DeleteLocked(const Store& store, const Container& container, Force force, const Warn& warn);
// The same for a container of ours whose process has ended and been reaped.
Status DeleteStopped(const Store& store, const Container& container, const oci::Config& config,
                     const Warn& warn);

Status Pause(const Store& store, const std::string& id);
Status Resume(const Store& store, const std::string& id);

// Pids, as this process sees them, of all processes in the container.
Result<std::vector<pid_t>> Processes(const Store& store, const std::string& id);

}  // namespace kiste::runtime
