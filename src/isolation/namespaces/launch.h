// SPDX-License-Identifier: Apache-2.0
//
// Launching in the host kernel's namespaces: makes the child, keeps up the dialogue with its
// launcher (launcher/operations.h), tells failures in words.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <vector>

#include "base/deadline.h"
#include "base/fd.h"
#include "base/result.h"
#include "isolation/plan.h"

namespace kiste::isolation {

struct LaunchObserver {
  // The container's process exists (as the host sees its pid); called once, before any hook.
  std::function<Status(pid_t)> started;
  // The process is to be moved into its cgroup, of which the cgroup namespace is not made yet:
  // called for a plan with cgroup.by_runtime.
  std::function<Status(pid_t)> enter_cgroup;
  // The process is in its network namespace, to which devices are to be moved: called for a plan
  // with network_by_runtime.
  std::function<Status(pid_t)> move_devices;
  // Namespaces and mounts are there, the root is not switched yet: prestart and createRuntime.
  // Empty when there are no such hooks.
  std::function<Status(pid_t)> host_hooks;
};

struct Launched {
  pid_t pid = -1;
  Fd pidfd;
};

// Carries out `plan`. Returns when the payload has been executed, or, if the plan has a start
// listener, when the process waits there. After a failure no process is left, unless SIGKILL did
// not end it (its cgroup is frozen from outside, it waits for a device).
Result<Launched> Launch(const LaunchPlan& plan, const LaunchObserver& observer);

// Tells the process that waits behind `name` in `directory` to go on; returns when the payload
// runs. Fails with what the remaining steps failed with; kNotFound when nobody listens; kTimeout
// when there is no answer until the deadline: then nothing has been started, nor will be.
Status ReleaseStart(int directory, const std::string& name,
                    Deadline deadline = Deadline::In(kPatience));
// When the hooks' answers are due: `patience` and their timeouts; never, if one has none.
Deadline DeadlineWithHooks(std::chrono::milliseconds patience, const std::vector<oci::Hook>& hooks);
// Whether a process waits there.
bool WaitsForStart(int directory, const std::string& name);

}  // namespace kiste::isolation
