// SPDX-License-Identifier: Apache-2.0
//
// Whose a cgroup is when several containers name the same one. `create` takes a cgroup that nobody
// is in: what a stopped container has on record may be another's by now, and then neither its
// processes nor the cgroup are that container's any more. Used by lifecycle.cc and making.cc.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/container.h"
#include "runtime/store.h"
#include "sys/cgroup/cgroup.h"

namespace kiste::runtime {

// What is in the cgroup of a container whose first process is gone.
enum class Occupants {
  kNone,
  kOurs,     // may be the container's own: without a pid namespace they outlive the first process
  kAnother,  // another container of the store, which has not stopped, has the cgroup or one below
  // Certainly not the container's: nobody is left of a pid namespace whose first process is gone
  // (pid_namespaces(7)). It may be a container of another store; or an `exec` that comes too late,
  // which fails at once.
  kStrangers,
};
Result<Occupants> OccupantsOf(const Store& store, const Container& container,
                              const sys::cgroup::Cgroup& cgroup);

// Those of `directories` that no container of the store has made: what a container made is removed
// with the last one that had it.
std::vector<std::string> NotMadeHere(const Store& store, std::vector<std::string> directories);

}  // namespace kiste::runtime
